// Commits the outbox of one cluster: one transaction an epoch, with one progress record.
//
// librdkafka cannot resume a transaction, so at each start and after a fatal error or a time-out
// (which look alike) nothing is assumed: the progress record is read, judged, the transactional id
// taken over, and the record read again up to the high watermark; only what stands above it is sent
// (design.md §3.6). Taking over ends what a dead process left open, so it is done at the start also
// where nothing waits to be sent: readers with read_committed of those partitions go on then.

import Contracts
import Environment
import KafkaIO
import Progress
import Synchronization

final class KafkaCommitter: SinkCommitter {
    let target: TargetID
    let name: String
    let commitInterval: Int64
    private let cluster: KafkaCluster
    private let identity: Identity
    private let state = Mutex(State())

    private struct State {
        var producer: (any KafkaTransactions)?
        /// The newest epoch that this process knows to be in the cluster.
        var landed: Marker?
    }

    private static let timeout = Duration.seconds(30)
    /// Aborted epochs are sent again so often before the sink counts as away.
    private static let attemptLimit = 5
    /// Records that go to the producer in one call.
    private static let runLength = 256

    init(_ cluster: KafkaCluster, commitInterval: Int64) {
        self.cluster = cluster
        self.commitInterval = commitInterval
        target = cluster.target
        identity = cluster.context.identity
        name = "kafka \(cluster.bootstrapServers)"
    }

    var firstReadMayBeOld: Bool { true }
    private var key: [UInt8] { Array(identity.pipelineID.utf8) }

    func readMarker() throws(Failure) -> Marker? {
        Failpoint.pass("kafka.read_progress")
        return try Patience(context: cluster.context).wait { () throws(Failure) in
            try progress(upTo: .lastStableOffset)
        }
    }

    /// The newest progress record; nil: none, or no such topic yet.
    private func progress(upTo end: KafkaReadEnd) throws(Failure) -> Marker? {
        guard let value = try newestRecords(upTo: end)[key] else { return nil }
        return try ProgressRecord(value).marker
    }

    /// The newest record of every pipeline.
    private func newestRecords(
        upTo end: KafkaReadEnd
    ) throws(Failure) -> [[UInt8]: [UInt8]] {
        do {
            return try cluster.endpoint.newestByKey(
                inTopic: KafkaCluster.progressTopic, upTo: end, timeout: KafkaCommitter.timeout)
        } catch {
            if error.code == "kafka.topic_missing" { return [:] }
            throw error
        }
    }

    func filled() throws(Failure) -> [FilledTarget] {
        let newest = try Patience(context: cluster.context).wait { () throws(Failure) in
            try newestRecords(upTo: .lastStableOffset)
        }
        var filled: [FilledTarget] = []
        for (key, value) in newest {
            let record = try ProgressRecord(value)
            filled.append(
                FilledTarget(
                    pipelineID: String(decoding: key, as: UTF8.self), marker: record.marker,
                    offsets: record.offsets,
                    isSameOutput: record.topology == cluster.topology
                        && record.topics == cluster.topics))
        }
        return filled.sorted { $0.pipelineID < $1.pipelineID }
    }

    func takeOver(history: TargetHistory) throws(Failure) -> CommitOutcome {
        try commit([], history: history)
    }

    func commit(
        _ intents: [Intent], history: TargetHistory
    ) throws(Failure) -> CommitOutcome {
        try state.withLock { state throws(Failure) in
            do throws(Failure) {
                return try commit(intents, history, &state)
            } catch {
                guard Patience.isPassing(error), !cluster.context.failFast else { throw error }
                state.producer = nil
                return .unavailable(error)
            }
        }
    }

    private func commit(
        _ intents: [Intent], _ history: TargetHistory, _ state: inout State
    ) throws(Failure) -> CommitOutcome {
        try cluster.makeTopics()
        Failpoint.pass("kafka.topics_made")
        if state.producer == nil, let refusal = try takeOver(history, &state) { return refusal }
        for intent in intents {
            if let landed = state.landed, KafkaCommitter.isLanded(intent, landed, history) {
                continue
            }
            switch try send(intent, &state) {
            case .done: state.landed = intent.marker
            case .retry(let failure), .mustAbort(let failure), .fatal(let failure):
                state.producer = nil
                return .unavailable(failure)
            }
        }
        return .committed(version: nil)
    }

    /// Whether the record that was found covers an open intent: it stands at or before it in order.
    private static func isLanded(
        _ intent: Intent, _ landed: Marker, _ history: TargetHistory
    ) -> Bool {
        guard !Mutant.skipMarkerLookup.isActive else { return false }
        guard let found = history.open.firstIndex(of: landed),
            let own = history.open.firstIndex(of: intent.marker)
        else { return intent.marker <= landed }
        return own <= found
    }

    /// A new producer that has the transactional id, and what the cluster holds as of then. Answers
    /// where another process's epochs are found.
    private func takeOver(
        _ history: TargetHistory, _ state: inout State
    ) throws(Failure) -> CommitOutcome? {
        let first = try progress(upTo: .lastStableOffset)
        if case .stale = history.judge(first, mayBeOld: true) {
            return .fenced(history.stale(name, found: first, code: "kafka.fenced"))
        }
        Failpoint.pass("kafka.before_init")
        let producer = try cluster.endpoint.makeProducer(
            transactionalID: "millrace-" + identity.pipelineID)
        switch producer.initializeTransactions(timeout: KafkaCommitter.timeout) {
        case .done: break
        case .retry(let failure), .mustAbort(let failure), .fatal(let failure):
            return .unavailable(failure)
        }
        Failpoint.pass("kafka.after_init")
        let second =
            Mutant.skipSecondRead.isActive ? first : try progress(upTo: .highWatermark)
        let mayBeOld = Mutant.skipSecondRead.isActive
        guard case .known = history.judge(second, mayBeOld: mayBeOld) else {
            return .fenced(history.stale(name, found: second, code: "kafka.fenced"))
        }
        Failpoint.pass("kafka.progress_read_again")
        state.producer = producer
        state.landed = Mutant.skipMarkerLookup.isActive ? nil : second
        return nil
    }

    /// One epoch in one transaction; aborted and sent again a bounded number of times.
    private func send(
        _ intent: Intent, _ state: inout State
    ) throws(Failure) -> KafkaTransactionOutcome {
        guard let producer = state.producer else { bug("a commit without a producer") }
        var last: KafkaTransactionOutcome = .done
        for _ in 0..<KafkaCommitter.attemptLimit {
            last = try transact(intent, producer)
            guard case .mustAbort(let failure) = last else { return last }
            try refuseForGood(failure)
            Failpoint.pass("kafka.before_abort")
            switch producer.abort(timeout: KafkaCommitter.timeout) {
            case .done: Failpoint.pass("kafka.aborted")
            case .retry(let failure), .mustAbort(let failure), .fatal(let failure):
                return .fatal(failure)
            }
        }
        return last
    }

    private func transact(
        _ intent: Intent, _ producer: any KafkaTransactions
    ) throws(Failure) -> KafkaTransactionOutcome {
        let begun = producer.begin()
        guard case .done = begun else { return begun }
        Failpoint.pass("kafka.begun")
        var rows = 0
        var run: [KafkaRecord] = []
        for part in intent.parts {
            try OutboxPart.forEach(part) { record throws(Failure) in
                run.append(
                    KafkaRecord(
                        topic: record.topic, key: record.key, value: record.value,
                        headers: record.headers.map { KafkaHeader($0.name, $0.value) }))
                guard run.count == KafkaCommitter.runLength else { return }
                rows += run.count
                try producer.produce(run)
                run.removeAll(keepingCapacity: true)
            }
        }
        // One that the broker took and the client lost sight of.
        if Failpoint.fails("kafka.row_lost") { rows += 1 }
        run.append(
            KafkaRecord(
                topic: KafkaCluster.progressTopic, partition: 0, key: key,
                value: ProgressRecord(
                    intent, topology: cluster.topology, topics: cluster.topics
                ).encoded))
        rows += run.count
        Failpoint.pass("kafka.before_produce")
        try producer.produce(run)
        Failpoint.pass("kafka.produced")
        // Delivered or not: the commit counts.
        _ = producer.flush(timeout: KafkaCommitter.timeout)
        Failpoint.pass("kafka.flushed")
        try Failpoint.passOrFail("kafka.commit")
        var outcome = producer.commit(rows: rows, timeout: KafkaCommitter.timeout)
        for _ in 0..<KafkaCommitter.attemptLimit {
            guard case .retry = outcome else { break }
            outcome = producer.commit(rows: rows, timeout: KafkaCommitter.timeout)
        }
        Failpoint.pass("kafka.committed", name)
        return outcome
    }

    /// What no second try can mend stops the sink with a sentence; nothing is skipped.
    private func refuseForGood(_ failure: Failure) throws(Failure) {
        let codes: Set<String> = [
            "kafka.msg_size_too_large", "kafka.topic_authorization_failed",
            "kafka.cluster_authorization_failed", "kafka.invalid_record", "kafka.unknown_topic",
            "kafka.policy_violation", "kafka.transactional_id_authorization_failed",
        ]
        if codes.contains(failure.code) { throw failure }
    }
}
