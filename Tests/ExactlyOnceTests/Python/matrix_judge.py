# Stands behind Oracle.tableFaults. Reads questions from its standard input, a line of JSON each, and
# answers with a list of what is wrong.
import collections, subprocess
import deltalake
Counter = collections.Counter
events = [tuple(map(int, line.split(','))) for line in open(sys.argv[1])]
sent, window, delay = 3_000, 10_000_000, 1_000_000

def expected():
    highest, late, groups = collections.defaultdict(lambda: -1), 0, {}
    for partition, position, auction, bidder, price, time in events:
        start = time // window * window
        before = highest[partition]
        if before >= 0 and start + window <= before - delay: late += 1
        else:
            count, top = groups.get((start, auction), (0, 0))
            groups[(start, auction)] = (count + 1, max(top, price))
        highest[partition] = max(before, time)
    by_auction = {}
    for _, _, auction, _, price, _ in events:
        count, top = by_auction.get(auction, (0, 0))
        by_auction[auction] = (count + 1, max(top, price))
    rows = [(a, b, p) for _, _, a, b, p, _ in events]
    return late, {
        'by_window': Counter((s, a, c, t) for (s, a), (c, t) in groups.items()),
        'by_auction': Counter((a, c, t) for a, (c, t) in by_auction.items() if c % 5 != 0),
        'high': Counter(r for r in rows if r[2] > 70_000),
        'low': Counter(r for r in rows if r[2] <= 20_000),
        'middle': Counter(r for r in rows if 20_000 < r[2] <= 70_000),
    }
late_rows, wanted = expected()
dead_rows = sent - len(events)
for name, rows in wanted.items():
    if not rows: raise SystemExit(f'{name} expects nothing, which shows nothing')
if not late_rows or not dead_rows: raise SystemExit('no late or no broken row, which shows nothing')

def read(question, topic, form):
    return subprocess.run(
        ['kcat', '-C', '-q', '-b', question['servers'], '-t', f"{question['name']}-{topic}", '-o', 'beginning',
         '-e', '-X', 'isolation.level=read_committed', '-f', form], check=True, capture_output=True).stdout

def table(path, columns):
    rows = deltalake.DeltaTable(path).to_pyarrow_table(columns=columns)
    lists = [rows[c].cast('int64').to_pylist() for c in columns]
    return Counter(zip(*lists))

def parsed(lines):
    rows = map(json.loads, lines)
    return Counter((r['auction'], r['bidder'], r['price']) for r in rows)

def visible(folder):
    lines = []
    for name in os.listdir(folder):
        if not name.startswith('.'): lines += open(f'{folder}/{name}').read().splitlines()
    return parsed(lines)

def dead_letters(question):
    places = Counter()
    for line in read(question, 'dead', '%h\n').decode(errors='replace').split('\n'):
        if 'millrace.offset' in line:
            places[tuple(sorted(h for h in line.split(',')
                                if h.startswith(('millrace.partition', 'millrace.offset'))))] += 1
    return places

def judge(question):
    lake = question['lake']
    found = {'high': parsed(read(question, 'out', '%s\n').splitlines())}
    if question['kind'] == 'everything':
        for name in ('by_window', 'by_auction'): check_log(name, f'{lake}/{name}')
        found['by_window'] = table(f'{lake}/by_window', ['window_start', 'auction', 'bids', 'top'])
        found['by_auction'] = table(f'{lake}/by_auction', ['auction', 'bids', 'top'])
        found['low'] = visible(f'{lake}/low')
    else:
        check_log('middle', f'{lake}/middle')
        found['middle'] = table(f'{lake}/middle', ['auction', 'bidder', 'price'])
    for name, rows in found.items():
        missing, extra = (wanted[name] - rows).total(), (rows - wanted[name]).total()
        if question['isPartial']:
            if name == 'by_auction': continue
            missing = 0
        if missing or extra: faults.append(f'{name}: {missing} rows missing, {extra} extra')
    letters = dead_letters(question)
    if letters.total() != len(letters): faults.append('dead letters: some twice')
    if len(letters) != dead_rows and not question['isPartial']: faults.append(f'dead letters: {len(letters)} for {dead_rows}')
    # Counters are of a pipeline's whole life; of one that was adopted, they begin anew.
    if 'late' in question and question['kind'] == 'everything':
        if question['late'] != late_rows: faults.append(f"{question['late']} late rows counted for {late_rows}")
        if question['dead'] != dead_rows: faults.append(f"{question['dead']} dead rows counted for {dead_rows}")

for line in sys.stdin:
    faults.clear(), owner.clear()
    try: judge(json.loads(line))
    except Exception as error: faults.append(f'the judge: {type(error).__name__}: {error}')
    print(json.dumps(faults), flush=True)
