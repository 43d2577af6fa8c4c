// The judge: DuckDB recomputes the results from the events, deltalake reads the tables, and each
// log is searched for what must never be there.

/// Python that prints one line a fault.
enum Oracle {
    /// What holds of any Delta table of ours: versions without gaps, live files that exist, no file
    /// added twice, markers that only rise, no epoch twice and none under two incarnations.
    static let tableFaults = """
        import json, os, glob, urllib.parse
        faults = []
        owner = {}
        def read_log(path):
            entries = []
            for name in sorted(glob.glob(path + '/_delta_log/*.json')):
                version = os.path.basename(name)[:-5]
                if version.isdigit():
                    entries.append((int(version), [json.loads(l) for l in open(name) if l.strip()]))
            return entries
        def check_log(table, path):
            entries = read_log(path)
            versions = [v for v, _ in entries]
            if versions != list(range(len(versions))): faults.append(f'{table}: versions {versions}')
            added, newest, seen = set(), {}, set()
            for version, actions in entries:
                # What a rewind takes back comes again: files of older versions, lower offsets.
                restores = any(a.get('commitInfo', {}).get('operation') == 'RESTORE' for a in actions)
                for action in actions:
                    if 'add' in action:
                        file = action['add']['path']
                        if file in added and not restores:
                            faults.append(f'{table}: {file} added twice, at {version}')
                        added.add(file)
                    if 'txn' in action and not action['txn']['appId'].endswith('incarnation'):
                        app, number = action['txn']['appId'], action['txn']['version']
                        if number <= newest.get(app, -1) and not (restores and '/next:' in app):
                            faults.append(f'{table}: marker {app} falls to {number} at {version}')
                        newest[app] = number
                    ours = action.get('commitInfo', {}).get('millrace')
                    for e in (ours or {}).get('epochs', []):
                        key = (ours['pipeline'], ours['generation'], e['epoch'])
                        if key in seen: faults.append(f'{table}: epoch {key} committed twice')
                        seen.add(key)
                        if owner.setdefault(key, e['incarnation']) != e['incarnation']:
                            faults.append(f'{table}: epoch {key} used by two incarnations')
            for file in live_files(path):
                if not os.path.exists(file): faults.append(f'{table}: {file} is missing')
        def live_files(path):
            import deltalake
            root = os.path.abspath(path)
            return [f[7:] if f.startswith('file://') else os.path.join(root, f) for f in
                    (urllib.parse.unquote(u) for u in deltalake.DeltaTable(path).file_uris())]

        """

    /// Arguments: events as csv in the generator's order, folder of the tables, partitions,
    /// watermark delay in µs, late rows reported.
    static let script =
        tableFaults + """
            import duckdb, deltalake
            events, folder = sys.argv[1], sys.argv[2]
            partitions, delay, late = int(sys.argv[3]), int(sys.argv[4]), sys.argv[5]
            c = duckdb.connect()
            c.sql("set enable_progress_bar=false")
            c.sql("set timezone='UTC'")
            c.sql("set preserve_insertion_order=true")
            c.sql(f"create table everything as select row_number() over () - 1 as position, event_type, "
                  f"auction, bidder, price, cast(micros as bigint) as micros "
                  f"from read_csv('{events}', header=true, parallel=false)")
            c.sql(f"create table events as select *, coalesce(max(micros) over (partition by "
                  f"position % {partitions} order by position rows between unbounded preceding and "
                  f"1 preceding) - {delay}, -1) as watermark from everything where event_type = 2")
            c.sql("create table windowed as select *, micros // 200000 * 200000 as start from events")
            lost = "start + 200000 <= watermark"
            wanted = {
                'by_window': f"select start, auction, count(*), max(price) from windowed "
                             f"where not ({lost}) group by all",
                'by_auction': "select auction, count(*), max(price) from events group by auction "
                              "having count(*) % 5 <> 0",
                'by_part': "select auction, bidder, price, micros, auction % 4 from events "
                           "where price > 50000",
            }
            found = {
                'by_window': "select epoch_us(window_start), auction, bids, top from t",
                'by_auction': "select auction, bids, top from t",
                'by_part': "select auction, bidder, price, epoch_us(date_time), part from t",
            }
            count = lambda sql: c.sql(f"select count(*) from ({sql})").fetchone()[0]
            for table, query in wanted.items():
                path = folder + '/' + table
                check_log(table, path)
                t = deltalake.DeltaTable(path).to_pyarrow_table()
                has, should = count(found[table]), count(query)
                missing = count(f"({query}) except all ({found[table]})")
                extra = count(f"({found[table]}) except all ({query})")
                if should == 0: faults.append(f'{table}: nothing is expected, which shows nothing')
                if missing or extra:
                    faults.append(f'{table}: {has} rows for {should}, {missing} missing, {extra} extra')
            real = count(f"select 1 from windowed where {lost}")
            if real == 0: faults.append('no row is late, which shows nothing')
            if late and int(late) != real: faults.append(f'{late} late rows counted for {real}')
            deletes = c.sql("select count(*) from (select auction from events group by auction "
                            "having count(*) >= 5)").fetchone()[0]
            if deletes == 0: faults.append('no key is ever deleted, which shows nothing')
            print('\\n'.join(faults))
            """
}
