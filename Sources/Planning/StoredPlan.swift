// What a plan means to the state that is stored under it: kept with the state, compared at each
// start (design.md §4: an edited topology keeps the state of the operators it did not change).
//
// An operator's id is a hash of the query under it. Its layout is what its stored entries depend on
// beyond that: which columns a kept row has follows from all that read it, not from the query under
// it. Operators without state, and options that change no row, are not told apart.

public import Contracts
import Kernels
import Types

public struct StoredPlan: Sendable, Hashable {
    /// An operator that keeps state.
    public struct Operator: Sendable, Hashable {
        public let id: UInt64
        /// As `explain` shows it.
        public let what: String
        public let layout: String

        /// How people name it: the id, in hexadecimal, as `explain` shows it.
        public var name: String { String(id, radix: 16) }
    }

    public struct Source: Sendable, Hashable {
        public let name: String
        /// What its offsets are positions in.
        public let place: String
    }

    public struct Output: Sendable, Hashable {
        public let name: String
        public let id: UInt64
        /// What an intent of it holds: connector, mode, columns.
        public let form: String
    }

    public let operators: [Operator]
    public let sources: [Source]
    public let outputs: [Output]
    /// Of all that decides which rows come out.
    public let fingerprint: UInt64
}

extension StoredPlan {
    public init(_ plan: Plan) {
        let explain = Explain(plan)
        operators = plan.nodes.compactMap { node in
            node.stateLayout(in: plan).map {
                Operator(id: node.operatorID, what: explain.what(node), layout: $0)
            }
        }
        sources = plan.sources.compactMap { source in
            source.connector.place.map { Source(name: source.name, place: $0) }
        }
        outputs = plan.outputs.map { output in
            let columns = output.schema.fields.map { "\($0.name) \($0.type)" }
            return Output(
                name: output.name, id: output.outputID,
                form: "\(output.connector.word) \(output.mode) (\(columns.joined(separator: ", ")))"
            )
        }
        var hash = OperatorHash()
        hash.combine(explain.text)
        for source in plan.sources {
            hash.combine("\(source.format.kind) \(source.format.timestampFormat)")
            hash.combine("\(source.watermarkDelay) \(source.maxAhead ?? -1) \(source.onError)")
            source.computed.forEach { hash.combine("\($0)") }
            source.constraints.forEach { hash.combine("\($0.name) \($0.condition)") }
        }
        for output in plan.outputs {
            output.constraints.forEach { hash.combine("\($0.name) \($0.condition)") }
        }
        fingerprint = hash.value
    }

    public func encoded() -> [UInt8] {
        var writer = RecordWriter()
        writer.byte(StoredPlan.version)
        writer.fixed64(fingerprint)
        writer.varint(UInt64(operators.count))
        for stored in operators {
            writer.fixed64(stored.id)
            writer.string(stored.what)
            writer.string(stored.layout)
        }
        writer.varint(UInt64(sources.count))
        for source in sources {
            writer.string(source.name)
            writer.string(source.place)
        }
        writer.varint(UInt64(outputs.count))
        for output in outputs {
            writer.string(output.name)
            writer.fixed64(output.id)
            writer.string(output.form)
        }
        return writer.bytes
    }

    /// Stands in front; another one is a later build's.
    private static let version: UInt8 = 1

    public init(decoding bytes: [UInt8]) throws(Failure) {
        var reader = RecordReader(bytes, subject: "plan")
        guard try reader.byte() == StoredPlan.version else {
            throw Failure(
                .failed, "state.version", "the stored plan is of a later build",
                hint: "run the version of millrace that wrote the state directory")
        }
        let fingerprint = try reader.fixed64()
        var operators: [Operator] = []
        for _ in 0..<(try reader.varint()) {
            operators.append(
                Operator(
                    id: try reader.fixed64(), what: try reader.string(),
                    layout: try reader.string()))
        }
        var sources: [Source] = []
        for _ in 0..<(try reader.varint()) {
            sources.append(Source(name: try reader.string(), place: try reader.string()))
        }
        var outputs: [Output] = []
        for _ in 0..<(try reader.varint()) {
            outputs.append(
                Output(
                    name: try reader.string(), id: try reader.fixed64(),
                    form: try reader.string()))
        }
        self.init(
            operators: operators, sources: sources, outputs: outputs, fingerprint: fingerprint)
    }
}

/// Where a plan and the one that the state was written under differ.
public struct PlanDifference: Sendable {
    /// State that nothing of the plan reads.
    public let gone: [StoredPlan.Operator]
    /// Same query, other entries.
    public let changed: [(was: StoredPlan.Operator, now: StoredPlan.Operator)]
    /// Operators that begin empty.
    public let new: [StoredPlan.Operator]
    /// Sources whose offsets would be positions in something else.
    public let moved: [(was: StoredPlan.Source, now: StoredPlan.Source)]
    public let goneOutputs: [StoredPlan.Output]
    /// Same name, another query or form.
    public let editedOutputs: [(was: StoredPlan.Output, now: StoredPlan.Output)]

    public init(from was: StoredPlan, to now: StoredPlan) {
        let present = Dictionary(now.operators.map { ($0.id, $0) }) { first, _ in first }
        let past = Set(was.operators.map(\.id))
        gone = was.operators.filter { present[$0.id] == nil }
        changed = was.operators.compactMap { stored in
            present[stored.id].flatMap { $0.layout == stored.layout ? nil : (stored, $0) }
        }
        new = now.operators.filter { !past.contains($0.id) }
        moved = was.sources.compactMap { source in
            now.sources.first { $0.name == source.name && $0.place != source.place }
                .map { (source, $0) }
        }
        goneOutputs = was.outputs.filter { output in
            !now.outputs.contains { $0.name == output.name }
        }
        editedOutputs = was.outputs.compactMap { output in
            now.outputs.first { $0.name == output.name && $0 != output }.map { (output, $0) }
        }
    }
}

extension PlanNode {
    /// What its stored entries look like; nil: it stores none.
    fileprivate func stateLayout(in plan: Plan) -> String? {
        func columns(_ schema: Schema) -> String {
            schema.fields.map { "\($0.name) \($0.type)" }.joined(separator: ", ")
        }
        func types(_ keys: [Int]) -> String {
            let schema = plan.nodes[inputs[0]].schema
            return keys.map { "\(schema[$0].type)" }.joined(separator: ", ")
        }
        switch kind {
        case .upsertSource: return "rows of (\(columns(schema)))"
        case .sessionRows: return "rows of (\(columns(plan.nodes[inputs[0]].schema)))"
        case .windowAggregate(let aggregate):
            let calls = aggregate.aggregates.map(\.text).joined(separator: ", ")
            return "\(aggregate.window.kind.text) by (\(types(aggregate.keys))): \(calls)"
        case .aggregate(let aggregate):
            let calls = aggregate.aggregates.map(\.text).joined(separator: ", ")
            let updating = aggregate.inputIsUpdating ? " of changes" : ""
            return "by (\(types(aggregate.keys))): \(calls)\(updating)"
        case .distinct: return "values of (\(columns(schema)))"
        case .source, .project, .filter, .unionAll, .assignWindows, .results, .sink: return nil
        }
    }

    /// Whether it stores entries.
    public var keepsState: Bool {
        switch kind {
        case .upsertSource, .sessionRows, .windowAggregate, .aggregate, .distinct: true
        case .source, .project, .filter, .unionAll, .assignWindows, .results, .sink: false
        }
    }
}

extension SourceConnector {
    /// Names no server: a cluster may move.
    fileprivate var place: String? {
        switch self {
        case .kafka(let options): "topic \(options.topic)"
        case .files(let options): "files \(options.path)"
        case .nexmark(let options):
            "nexmark, seed \(options.seed), \(options.partitions) partitions"
        case .values: nil
        }
    }
}
