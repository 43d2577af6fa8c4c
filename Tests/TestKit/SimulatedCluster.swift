// A Kafka cluster with transactions, in memory: epochs of transactional ids fence, transactions
// that last too long are aborted, the markers of decided ones come late and hide what stands behind
// them from read_committed, answers are lost.

import Connectors
import Contracts
import KafkaIO

/// because: only the thread that holds the world's baton touches it.
final class SimulatedCluster: @unchecked Sendable {
    struct Entry {
        let record: KafkaRecord
        let transaction: Int
    }

    struct Transaction {
        enum Status { case open, committed, aborted }

        let id: String
        var status = Status.open
        /// µs; the broker aborts it then.
        let endsAt: Int64
        /// µs; from then on its markers are written.
        var markedAt = Int64.max
    }

    private let world: SimulatedWorld
    private(set) var topics: [String: [Entry]] = [:]
    private(set) var transactions: [Transaction] = []
    private var producerEpochs: [String: Int] = [:]
    private var openTransactions: [String: Int] = [:]
    /// Nobody answers until then; µs.
    private var awayUntil: Int64 = 0

    /// µs after which the broker aborts a transaction.
    static let transactionTimeout: Int64 = 2_000_000
    /// What happened, for the counters.
    private(set) var timeouts = 0
    private(set) var fencings = 0
    private(set) var hiddenReads = 0

    init(world: SimulatedWorld) { self.world = world }

    // MARK: The world's side

    func goAway(for microseconds: Int64) { awayUntil = world.now + microseconds }
    var isAway: Bool { world.now < awayUntil }

    /// Another pipeline's transaction on a topic: it hides what comes behind it for a while.
    func beginForeign(on topic: String) {
        guard topics[topic] != nil else { return }
        let endsAt = world.now + Int64(world.random.below(100_000))
        transactions.append(Transaction(id: "foreign", endsAt: endsAt))
        let number = transactions.count - 1
        openTransactions["foreign \(number)"] = number
        let record = KafkaRecord(
            topic: topic, partition: 0, key: Array("foreign".utf8), value: Array("{}".utf8))
        topics[topic, default: []].append(Entry(record: record, transaction: number))
    }

    /// Aborts what has been open for too long, and its producer's epoch with it.
    func expire() {
        for (id, number) in openTransactions.sorted(by: { $0.key < $1.key })
        where world.now >= transactions[number].endsAt {
            decide(id, .aborted)
            producerEpochs[id, default: 0] += 1
            if !id.hasPrefix("foreign") { timeouts += 1 }
            world.note("broker aborts a transaction of \(transactions[number].id)")
        }
    }

    /// Time passes until no marker is missing; a transaction that nobody ends is ended.
    func settle() {
        awayUntil = 0
        for number in transactions.indices where transactions[number].status != .open {
            transactions[number].markedAt = min(transactions[number].markedAt, world.now)
        }
    }

    var ownOpenTransactions: [String] {
        openTransactions.keys.filter { !$0.hasPrefix("foreign") }.sorted()
    }

    // MARK: Readers

    fileprivate func count(_ topic: String) -> Int { topics[topic]?.count ?? 0 }

    /// The first offset that a transaction hides.
    fileprivate func stableEnd(_ topic: String) -> Int {
        let entries = topics[topic] ?? []
        return entries.firstIndex { entry in
            let transaction = transactions[entry.transaction]
            return transaction.status == .open || world.now < transaction.markedAt
        } ?? entries.count
    }

    /// What has been decided to stand, in order, also where a reader has to wait for it.
    func landed(_ topic: String) -> [KafkaRecord] {
        (topics[topic] ?? []).filter { transactions[$0.transaction].status == .committed }
            .map(\.record)
    }

    /// What read_committed gives, in order.
    func committed(_ topic: String) -> [KafkaRecord] {
        (topics[topic] ?? [])[..<stableEnd(topic)].filter {
            transactions[$0.transaction].status == .committed
        }.map(\.record)
    }

    fileprivate func newestByKey(
        _ topic: String
    ) throws(Failure) -> [[UInt8]: [UInt8]] {
        guard let entries = topics[topic] else {
            throw Failure(.failed, "kafka.topic_missing", "no topic \(topic)")
        }
        if stableEnd(topic) < entries.count { hiddenReads += 1 }
        var newest: [[UInt8]: [UInt8]] = [:]
        for record in committed(topic) where record.key.map({ $0 != Array("foreign".utf8) }) ?? false
        {
            newest[record.key ?? []] = record.value
        }
        return newest
    }

    // MARK: Producers

    fileprivate func makeTopic(_ name: String) {
        if topics[name] == nil { topics[name] = [] }
    }

    fileprivate func initialize(_ id: String) -> Int {
        if openTransactions[id] != nil { decide(id, .aborted) }
        producerEpochs[id, default: 0] += 1
        return producerEpochs[id, default: 0]
    }

    /// Whether an epoch is the id's newest.
    fileprivate func isCurrent(_ id: String, _ epoch: Int) -> Bool {
        if producerEpochs[id] == epoch { return true }
        fencings += 1
        return false
    }

    fileprivate func append(_ records: [KafkaRecord], _ id: String) {
        let number: Int
        if let open = openTransactions[id] {
            number = open
        } else {
            transactions.append(Transaction(id: id, endsAt: world.now + Self.transactionTimeout))
            number = transactions.count - 1
            openTransactions[id] = number
        }
        for record in records {
            topics[record.topic, default: []].append(Entry(record: record, transaction: number))
        }
    }

    /// Ends the id's open transaction; its markers come at once or later.
    fileprivate func decide(_ id: String, _ status: Transaction.Status) {
        guard let number = openTransactions.removeValue(forKey: id) else { return }
        transactions[number].status = status
        world.noteLanding()
        let delay = world.random.isOneIn(3) ? Int64(world.random.below(60_000)) : 0
        transactions[number].markedAt = world.now + delay
    }

    fileprivate func hasOpen(_ id: String) -> Bool { openTransactions[id] != nil }
}

/// One process's way to a cluster.
struct SimulatedEndpoint: KafkaEndpoint {
    let cluster: SimulatedCluster
    let process: SimulatedProcess

    func answer(_ name: String) throws(Failure) {
        try process.requireUp()
        if cluster.isAway || process.losesAnswer() {
            throw Failure(.failed, "kafka.transport", "nobody answers to \(name)")
        }
    }

    func makeTopics(_ topics: [KafkaWantedTopic]) throws(Failure) {
        try answer("make topics")
        try process.perform("make topics") { () throws(Failure) in
            for topic in topics { cluster.makeTopic(topic.topic) }
        }
    }

    func maximumMessageBytes(ofTopic topic: String) throws(Failure) -> Int {
        try answer("settings")
        return 1_048_588
    }

    func newestByKey(
        inTopic topic: String, upTo end: KafkaReadEnd, timeout: Duration
    ) throws(Failure) -> [[UInt8]: [UInt8]] {
        try answer("read")
        process.world.perhapsHandOn()
        if case .highWatermark = end { try waitUntilStable(topic) }
        return try cluster.newestByKey(topic)
    }

    /// A reader waits until nothing hides what is there now, or gives up.
    private func waitUntilStable(_ topic: String) throws(Failure) {
        let end = cluster.count(topic)
        while cluster.stableEnd(topic) < end {
            if process.losesAnswer() {
                throw Failure(.failed, "kafka.timed_out", "a transaction hides a part of \(topic)")
            }
            process.world.stand(microseconds: 5_000)
            process.world.perhapsHandOn()
        }
    }

    func makeProducer(transactionalID: String) throws(Failure) -> any KafkaTransactions {
        SimulatedProducer(self, transactionalID)
    }
}

private final class SimulatedProducer: KafkaTransactions {
    private let endpoint: SimulatedEndpoint
    private let id: String
    private var epoch = 0
    private var delivered = 0
    /// What a commit came to whose answer was lost.
    private var decided: KafkaTransactionOutcome?

    init(_ endpoint: SimulatedEndpoint, _ id: String) {
        self.endpoint = endpoint
        self.id = id
    }

    private var cluster: SimulatedCluster { endpoint.cluster }
    private var process: SimulatedProcess { endpoint.process }
    private static let fenced = Failure(.failed, "kafka.fenced", "another producer has the id")

    /// A process that dies in the call learns it at its next step.
    private func attempt(
        _ name: String, _ effect: () -> KafkaTransactionOutcome
    ) -> KafkaTransactionOutcome {
        process.noteSinkEffect()
        do {
            return try process.perform(name) { () throws(Failure) in effect() }
        } catch {
            return .fatal(error)
        }
    }

    func initializeTransactions(timeout: Duration) -> KafkaTransactionOutcome {
        do { try endpoint.answer("init transactions") } catch { return .retry(error) }
        return attempt("init transactions") {
            epoch = cluster.initialize(id)
            if process.isJoined() { cluster.beginForeign(on: "millrace.progress") }
            return .done
        }
    }

    func begin() -> KafkaTransactionOutcome {
        delivered = 0
        decided = nil
        return .done
    }

    func produce(_ records: [KafkaRecord]) throws(Failure) {
        guard !cluster.isAway else { return }
        try process.perform("produce \(records.count) records") { () throws(Failure) in
            guard cluster.isCurrent(id, epoch) else { return }
            cluster.append(records, id)
            delivered += records.count
        }
        process.perhapsPause()
    }

    func flush(timeout: Duration) -> Bool { true }

    func commit(rows: Int, timeout: Duration) -> KafkaTransactionOutcome {
        if let decided { return decided }
        guard !cluster.isAway else {
            return .retry(Failure(.failed, "kafka.timed_out", "nobody answers to commit"))
        }
        let outcome = attempt("commit transaction") {
            guard cluster.isCurrent(id, epoch) else { return .fatal(Self.fenced) }
            guard delivered == rows, cluster.hasOpen(id) else {
                return .mustAbort(Failure(.failed, "kafka.rows_missing", "records are missing"))
            }
            if process.losesAnswer(), process.world.random.isOneIn(2) {
                return .mustAbort(Failure(.failed, "kafka.flush", "a delivery failed"))
            }
            if process.losesAnswer(), process.world.random.isOneIn(2) {
                return .retry(Failure(.failed, "kafka.timed_out", "the commit was not answered"))
            }
            cluster.decide(id, .committed)
            return .done
        }
        guard case .done = outcome, process.losesAnswer() else { return outcome }
        if process.world.random.isOneIn(2) {
            return .fatal(Failure(.failed, "kafka.fenced", "the session ended; landed or not"))
        }
        decided = .done
        return .retry(Failure(.failed, "kafka.timed_out", "the commit was not answered"))
    }

    func abort(timeout: Duration) -> KafkaTransactionOutcome {
        guard !cluster.isAway else {
            return .fatal(Failure(.failed, "kafka.timed_out", "nobody answers to abort"))
        }
        return attempt("abort transaction") {
            guard cluster.isCurrent(id, epoch) else { return .fatal(Self.fenced) }
            cluster.decide(id, .aborted)
            return .done
        }
    }
}
