// What stands for the outside of a topology under test: given rows in, collected rows out.

import Columns
import Connectors
import Contracts
import Planning
import Progress
import Synchronization
import Types

/// Makes the sources and sinks of one test case and keeps hold of them.
final class TopologyTestConnectors: ConnectorFactory {
    let sources: [ValuesSource]
    /// What reached each output.
    let outputs: [CollectedRows]
    let letters = TopologyTestLetters()
    private let live = LiveConnectors()

    init(_ plan: Plan, _ test: TopologyTestCase) {
        sources = plan.sources.enumerated().map { index, source in
            let count = test.partitionCount(source: index)
            return ValuesSource(source, partitions: (0..<count).map(String.init))
        }
        outputs = plan.outputs.map { _ in CollectedRows() }
    }

    func makeSource(
        _ plan: SourcePlan, _ context: ConnectorContext
    ) throws(Failure) -> any Source {
        if case .values = plan.connector { return try live.makeSource(plan, context) }
        return sources.first { $0.plan.name == plan.name }.required("a source of another plan")
    }

    func makeWriter(
        output: Int, of plan: Plan, worker: Int, _ context: ConnectorContext
    ) throws(Failure) -> any SinkWriter {
        CollectWriter(outputs[output])
    }

    func encodeAsJSON(_ rows: Batch, schema: Schema) -> [[UInt8]] {
        live.encodeAsJSON(rows, schema: schema)
    }

    /// The clusters that dead letters of this plan can go to.
    func makeCommitters(
        of plan: Plan, _ context: ConnectorContext
    ) throws(Failure) -> [any SinkCommitter] {
        var servers: Set<String> = []
        for case .kafka(let options) in plan.sources.map(\.connector) {
            servers.insert(options.bootstrapServers)
        }
        for case .kafka(let options) in plan.outputs.map(\.connector) {
            servers.insert(options.bootstrapServers)
        }
        return servers.sorted().map {
            LetterCommitter(TargetIdentity.kafka(bootstrapServers: $0), letters)
        }
    }
}

/// Records for dead-letter topics, as rows of text.
final class TopologyTestLetters: Sendable {
    private let records = Mutex<[OutboxRecord]>([])

    /// What a test can say of a dead letter: its headers without `millrace.`, key and value.
    static let schema = Schema(
        [
            "reason", "constraint", "detail", "topic", "partition", "offset", "timestamp",
            "operator", "place", "key", "value",
        ].map { Field($0, .text) })

    fileprivate func append(_ record: OutboxRecord) { records.withLock { $0.append(record) } }

    /// The letters that came to a topic since the last call.
    func take(topic: String) -> [Batch] {
        let taken = records.withLock { records in
            let taken = records.filter { $0.topic == topic }
            records.removeAll { $0.topic == topic }
            return taken
        }
        guard !taken.isEmpty else { return [] }
        let columns = TopologyTestLetters.schema.fields.map { field in
            Column(.text, scalars: taken.map { TopologyTestLetters.value(field.name, of: $0) })
        }
        return [Batch(rowCount: taken.count, columns: columns)]
    }

    private static func value(_ name: String, of record: OutboxRecord) -> Scalar {
        if name == "key" { return record.key.map(Scalar.bytes) ?? .null }
        if name == "value" { return record.value.map(Scalar.bytes) ?? .null }
        let header = record.headers.first { $0.name == "millrace.\(name)" }
        return header.map { .bytes($0.value) } ?? .null
    }
}

/// Takes a cluster's dead letters instead of a broker.
private final class LetterCommitter: SinkCommitter {
    let target: TargetID
    let name = "dead letters"
    let commitInterval: Int64 = 0
    private let letters: TopologyTestLetters

    init(_ target: TargetID, _ letters: TopologyTestLetters) {
        self.target = target
        self.letters = letters
    }

    func readMarker() throws(Failure) -> Marker? { nil }

    func commit(_ intents: [Intent], history: TargetHistory) throws(Failure) -> CommitOutcome {
        for part in intents.flatMap(\.parts) {
            try OutboxPart.forEach(part) { (record) throws(Failure) in letters.append(record) }
        }
        return .committed(version: nil)
    }
}
