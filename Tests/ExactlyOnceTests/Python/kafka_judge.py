import duckdb, deltalake, subprocess
folder, servers, name, late, dead = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
def read(topic, format):
    return subprocess.run(['kcat', '-C', '-q', '-b', servers, '-t', topic, '-o', 'beginning', '-e',
        '-X', 'isolation.level=read_committed', '-f', format], check=True, capture_output=True).stdout
open(folder + '/out.json', 'wb').write(read(name + '-out', '%s\n'))
c = duckdb.connect()
c.sql("set enable_progress_bar=false")
c.sql("set timezone='UTC'")
c.sql(f"create table events as select *, micros // 10000000 * 10000000 as start, "
      f"coalesce(max(micros) over (partition by partition order by position rows between "
      f"unbounded preceding and 1 preceding) - 1000000, -1) as watermark "
      f"from read_csv('{folder}/events.csv', header=true)")
lost = 'start + 10000000 <= watermark'
c.sql(f"create table high as select auction::bigint, bidder::bigint, price::bigint, "
      f"epoch_us(date_time::timestamptz) from read_json('{folder}/out.json', "
      f"format='newline_delimited', columns={{auction: 'BIGINT', bidder: 'BIGINT', price: 'BIGINT', date_time: 'VARCHAR'}})")
wanted = {
    'by_window': f"select start, auction, count(*), max(price) from events where not ({lost}) group by all",
    'by_auction': "select auction, count(*), max(price) from events group by auction having count(*) % 5 <> 0",
    'high': "select auction, bidder, price, micros from events where price > 90000",
}
found = {
    'by_window': "select epoch_us(window_start), auction, bids, top from t",
    'by_auction': "select auction, bids, top from t",
    'high': "select * from high",
}
count = lambda sql: c.sql(f"select count(*) from ({sql})").fetchone()[0]
for table, query in wanted.items():
    if table != 'high':
        check_log(table, f'{folder}/{table}')
        t = deltalake.DeltaTable(f'{folder}/{table}').to_pyarrow_table()
    has, should = count(found[table]), count(query)
    missing = count(f"({query}) except all ({found[table]})")
    extra = count(f"({found[table]}) except all ({query})")
    if should == 0: faults.append(f'{table}: nothing is expected, which shows nothing')
    if missing or extra: faults.append(f'{table}: {has} rows for {should}, {missing} missing, {extra} extra')
real = count(f"select 1 from events where {lost}")
if real == 0: faults.append('no row is late, which shows nothing')
if late != real: faults.append(f'{late} late rows counted for {real}')
letters = [l for l in read(name + '-dead', '%h\n').decode(errors='replace').split('\n') if 'millrace.offset' in l]
places = {tuple(sorted(h for h in l.split(',') if h.startswith(('millrace.partition', 'millrace.offset')))) for l in letters}
should = int(open(folder + '/dead').read())
if should == 0: faults.append('no dead letter, which shows nothing')
if not (len(letters) == len(places) == should == dead):
    faults.append(f'{len(letters)} dead letters of {len(places)} records, {dead} counted, for {should}')
log = read_log(folder + '/by_auction')
epochs = sum(len(a['commitInfo'].get('millrace', {}).get('epochs', [])) for _, l in log for a in l if 'commitInfo' in a)
if epochs < 30: faults.append(f'only {epochs} epochs committed')
# Partition p is read by worker p % 2: a window's row that counts bids of both workers' partitions is
# one row only because its rows met on one worker.
both = count(f"select start, auction from events where not ({lost}) group by all "
             f"having count(distinct partition % 2) = 2")
if both == 0: faults.append('no group has rows of both workers: nothing shows an exchange')
last = log[-1][0]
keys = lambda v: set(deltalake.DeltaTable(folder + '/by_auction', version=v).to_pyarrow_table(columns=['auction'])['auction'].to_pylist())
if not any(keys(v) - keys(v + 1) for v in range(1, last, max(1, last // 12))):
    faults.append('no key went from one version to the next: nothing shows a delete')
print('\n'.join(faults))
