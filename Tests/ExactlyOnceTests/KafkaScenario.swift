// Kafka in, two Delta tables, a topic and dead letters out: the main job, on a real broker.

import Contracts
import Foundation
import KafkaIO
import PythonSupport
import Testing

/// Events in four partitions, some late, some broken, all made by a script that the engine never sees.
final class KafkaScenario {
    static let servers = ProcessInfo.processInfo.environment["MILLRACE_KAFKA"]
    static let isWanted =
        servers != nil || ProcessInfo.processInfo.environment["MILLRACE_NO_SKIP"] == "1"
    static let partitions = 4
    static let sinks: Set<String> = ["by_window", "by_auction", "kafka"]

    let folder: TemporaryFolder
    let name = "kill-\(UUID().uuidString)"
    let servers: String
    private(set) var starts = 0
    private(set) var falls: [Fall] = []

    init(events: Int) throws {
        servers = try #require(KafkaScenario.servers, "MILLRACE_KAFKA names no broker")
        folder = try TemporaryFolder()
        let administration = try KafkaAdministration(
            KafkaClientConfiguration(
                bootstrapServers: servers, properties: [:], groupID: name))
        for (topic, partitions) in [("in", KafkaScenario.partitions), ("out", 2), ("dead", 1)] {
            let made = try administration.createTopic(
                "\(name)-\(topic)", partitions: partitions, replication: 1, settings: [:])
            try #require(made)
        }
        try topology.write(
            to: folder.url.appending(path: "t.sql"), atomically: true, encoding: .utf8)
        _ = try Python.run(
            KafkaScenario.generator,
            [folder.url.path, servers, "\(name)-in", String(KafkaScenario.partitions), "\(events)"])
    }

    /// Small fetches with a second between them: the run lasts until all kills have fallen.
    private var topology: String {
        """
        SET checkpoint_interval = '100 milliseconds';

        CREATE TABLE bids (
            auction bigint NOT NULL, bidder bigint NOT NULL, price bigint NOT NULL CHECK (price > 0),
            date_time timestamptz NOT NULL
        ) USING kafka WITH (
            topic = '\(name)-in', bootstrap_servers = '\(servers)', format = 'json',
            event_time = 'date_time', watermark_delay = '1 second',
            on_error = 'dead_letter', dead_letter_topic = '\(name)-dead',
            "kafka.queued.min.messages" = '1', "kafka.fetch.message.max.bytes" = '400000'
        );

        CREATE MATERIALIZED VIEW by_window
        USING delta WITH (location = '\(folder.path("by_window"))') AS
        SELECT window_start, auction, count(*) AS bids, max(price) AS top
        FROM tumble(bids, date_time, INTERVAL '10 seconds')
        GROUP BY window_start, auction;

        CREATE MATERIALIZED VIEW by_auction
        USING delta WITH (location = '\(folder.path("by_auction"))') AS
        SELECT auction, count(*) AS bids, max(price) AS top
        FROM bids GROUP BY auction HAVING count(*) % 5 <> 0;

        CREATE MATERIALIZED VIEW high
        USING kafka WITH (topic = '\(name)-out', bootstrap_servers = '\(servers)') AS
        SELECT auction, bidder, price, date_time FROM bids WHERE price > 90000;
        """
    }

    var log: URL { folder.url.appending(path: "passed-\(starts)") }

    func start(failpoint: String? = nil) throws -> RunningCommand {
        starts += 1
        return try RunningCommand(
            ["run", "t.sql", "--bounded", "--state", "state", "--workers", "2", "--json"],
            in: folder.url, failpoint: failpoint, log: log)
    }

    func note(isRandom: Bool) { falls.append(FailpointLog(log).fall(isRandom: isRandom)) }

    func differences(late: Int, dead: Int) throws -> [String] {
        try Python.lines(
            Oracle.tableFaults + KafkaScenario.judge,
            [folder.url.path, servers, name, String(late), String(dead)])
    }

    /// Writes events to the topic (kcat) and the sound ones to `events.csv`.
    private static let generator = """
        import json, random, subprocess
        folder, servers, topic, partitions, events = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
        random.seed(5)
        start = 1767225600000000
        dead = 0
        sound = open(folder + '/events.csv', 'w')
        sound.write('partition,position,auction,bidder,price,micros\\n')
        files = [open(f'{folder}/p{p}', 'w') for p in range(partitions)]
        def iso(t):
            import datetime
            return datetime.datetime.fromtimestamp(t / 1e6, datetime.timezone.utc).strftime('%Y-%m-%dT%H:%M:%S.%fZ')
        for n in range(events):
            p, position = n % partitions, n // partitions
            time = start + n * 400
            if n % 211 == 0: time -= random.randrange(30_000_000)
            else: time -= random.randrange(900_000)
            auction, bidder, price = random.randrange(1500), random.randrange(9000), random.randrange(1, 100_000)
            if n % 5003 == 17: files[p].write('{"auction": 1, "bidder": \\n'); dead += 1; continue
            if n % 7001 == 99: price = 0
            files[p].write(f'{{"auction":{auction},"bidder":{bidder},"price":{price},"date_time":"{iso(time)}"}}\\n')
            if price == 0: dead += 1; continue
            sound.write(f'{p},{position},{auction},{bidder},{price},{time}\\n')
        sound.close()
        open(folder + '/dead', 'w').write(str(dead))
        for p, file in enumerate(files):
            file.close()
            subprocess.run(['kcat', '-P', '-b', servers, '-t', topic, '-p', str(p), '-X', 'acks=all',
                            '-X', 'linger.ms=20', '-l', file.name], check=True)
        """

    /// What is wrong, a line each.
    private static let judge = """
        import duckdb, deltalake, subprocess
        folder, servers, name, late, dead = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
        def read(topic, format):
            return subprocess.run(['kcat', '-C', '-q', '-b', servers, '-t', topic, '-o', 'beginning', '-e',
                '-X', 'isolation.level=read_committed', '-f', format], check=True, capture_output=True).stdout
        open(folder + '/out.json', 'wb').write(read(name + '-out', '%s\\n'))
        c = duckdb.connect()
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
        letters = [l for l in read(name + '-dead', '%h\\n').decode(errors='replace').split('\\n') if 'millrace.offset' in l]
        places = {tuple(sorted(h for h in l.split(',') if h.startswith(('millrace.partition', 'millrace.offset')))) for l in letters}
        should = int(open(folder + '/dead').read())
        if should == 0: faults.append('no dead letter, which shows nothing')
        if not (len(letters) == len(places) == should == dead):
            faults.append(f'{len(letters)} dead letters of {len(places)} records, {dead} counted, for {should}')
        log = read_log(folder + '/by_auction')
        epochs = sum(len(a['commitInfo'].get('millrace', {}).get('epochs', [])) for _, l in log for a in l if 'commitInfo' in a)
        if epochs < 30: faults.append(f'only {epochs} epochs committed')
        # Partition p is read by worker p % 2: a window's row that counts bids of both workers'
        # partitions is one row only because its rows met on one worker.
        both = count(f"select start, auction from events where not ({lost}) group by all "
                     f"having count(distinct partition % 2) = 2")
        if both == 0: faults.append('no group has rows of both workers: nothing shows an exchange')
        last = log[-1][0]
        keys = lambda v: set(deltalake.DeltaTable(folder + '/by_auction', version=v).to_pyarrow_table(columns=['auction'])['auction'].to_pylist())
        if not any(keys(v) - keys(v + 1) for v in range(1, last, max(1, last // 12))):
            faults.append('no key went from one version to the next: nothing shows a delete')
        print('\\n'.join(faults))
        """
}
