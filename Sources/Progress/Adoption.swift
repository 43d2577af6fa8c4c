// `--adopt`: which pipeline a fresh state directory goes on for, from what its outputs say of
// themselves (design.md §3.8). Pure: facts in, a decision or a refusal out.
//
// The directory takes over the pipeline's id under the next generation. So rule 7 guards it from
// the first commit on: a sink's newest marker must be the one that was taken over until an entry of
// our own stands, and the pipeline that was left behind finds a generation it does not know.

public import Contracts

/// What a target says of one pipeline that has filled it.
public struct FilledTarget: Sendable, Hashable {
    public let pipelineID: String
    /// The newest that this pipeline left in the target.
    public let marker: Marker
    /// Next to read, by partition, as of that marker; `end`, fingerprint and times are unknown.
    public let offsets: [PartitionOffset]
    /// Whether the target itself says that the same output of the same topology wrote it. A cluster
    /// has one record a pipeline, whatever its outputs are.
    public let isSameOutput: Bool

    public init(
        pipelineID: String, marker: Marker, offsets: [PartitionOffset], isSameOutput: Bool
    ) {
        self.pipelineID = pipelineID
        self.marker = marker
        self.offsets = offsets
        self.isSameOutput = isSameOutput
    }
}

/// Another pipeline's outputs, to be gone on with.
public struct Adoption: Sendable, Hashable {
    public let pipelineID: String
    /// Above each one that the outputs hold.
    public let generation: UInt64
    /// What each target that the pipeline has filled holds.
    public let taken: [TargetID: FilledTarget]
    /// Where to read on: of each partition the smallest offset of all targets. A partition that a
    /// target knows nothing of begins where its source says.
    public let start: [PartitionOffset]

    /// A commit target that a topology has.
    public struct Target: Sendable {
        public let id: TargetID
        public let name: String
        public let filled: [FilledTarget]

        public init(id: TargetID, name: String, filled: [FilledTarget]) {
            self.id = id
            self.name = name
            self.filled = filled
        }
    }

    /// `sources`: names of the topology's sources, with whether one without an offset would begin
    /// at its present end. nil: nobody has filled these targets.
    public init?(
        of targets: [Target], sources: [String: Bool]
    ) throws(Failure) {
        guard let pipelineID = try Adoption.pipeline(of: targets) else { return nil }
        var taken: [TargetID: FilledTarget] = [:]
        for target in targets {
            taken[target.id] = target.filled.first { $0.pipelineID == pipelineID }
        }
        let known = taken.values.flatMap(\.offsets)
        if let lost = known.first(where: { sources[$0.source] == nil }) {
            throw Failure(
                .invalid, "adopt.source",
                "pipeline \(pipelineID) read a source \"\(lost.source)\", which this topology "
                    + "does not have",
                hint: "adopt with the topology that filled the outputs")
        }
        if let unknown = known.first(where: { $0.next < 0 }) {
            throw Failure(
                .invalid, "adopt.series",
                "the outputs don't say which file of \"\(unknown.source)\" was being read",
                hint: "restore the state directory of pipeline \(pipelineID)")
        }
        self.pipelineID = pipelineID
        self.taken = taken
        generation = (taken.values.map(\.marker.generation).max() ?? 0) + 1
        start = Adoption.start(of: targets, taken)
        try Adoption.refuseUnknownBeginning(targets, taken, sources, start)
    }

    /// The one pipeline that filled each target that says who did.
    private static func pipeline(of targets: [Target]) throws(Failure) -> String? {
        let said = targets.map { Set($0.filled.filter(\.isSameOutput).map(\.pipelineID)) }
            .filter { !$0.isEmpty }
        guard let first = said.first else { return nil }
        let common = said.dropFirst().reduce(first) { $0.intersection($1) }
        if common.count == 1 { return common.first }
        let all = said.reduce(into: Set<String>()) { $0.formUnion($1) }.sorted()
        throw Failure(
            .invalid, "adopt.several",
            "the outputs were filled by several pipelines (\(all.joined(separator: ", "))), "
                + "and one directory can go on for one of them only",
            hint: "restore the state directory of the right one, or append on purpose with "
                + "--beside")
    }

    private static func start(
        of targets: [Target], _ taken: [TargetID: FilledTarget]
    ) -> [PartitionOffset] {
        var start: [PartitionKey: PartitionOffset] = [:]
        var counts: [PartitionKey: Int] = [:]
        for filled in taken.values {
            for offset in filled.offsets {
                let key = PartitionKey(offset)
                counts[key, default: 0] += 1
                if let known = start[key], known.next <= offset.next { continue }
                start[key] = offset
            }
        }
        return start.filter { counts[$0.key] == targets.count }.values
            .sorted { ($0.source, $0.partition) < ($1.source, $1.partition) }
    }

    /// Where a source begins at its present end, what a target without an offset lacks would be
    /// skipped.
    private static func refuseUnknownBeginning(
        _ targets: [Target], _ taken: [TargetID: FilledTarget], _ sources: [String: Bool],
        _ start: [PartitionOffset]
    ) throws(Failure) {
        for (source, beginsAtEnd) in sources.sorted(by: { $0.key < $1.key }) where beginsAtEnd {
            let all = Set(
                taken.values.flatMap(\.offsets).filter { $0.source == source }
                    .map(PartitionKey.init))
            let known = Set(start.filter { $0.source == source }.map(PartitionKey.init))
            guard all != known || known.isEmpty else { continue }
            let lacking = targets.first { target in
                let own = Set((taken[target.id]?.offsets ?? []).map(PartitionKey.init))
                return own.isEmpty || !all.isSubset(of: own)
            }
            throw Failure(
                .invalid, "adopt.beginning",
                "\(lacking?.name ?? "an output") does not say where it stands in \"\(source)\", "
                    + "which begins at its present end (start = 'latest')",
                hint: "set start = 'earliest' or a time at or before the pipeline's beginning")
        }
    }
}

/// One partition of one source.
public struct PartitionKey: Sendable, Hashable {
    public let source: String
    public let partition: String

    public init(_ offset: PartitionOffset) {
        source = offset.source
        partition = offset.partition
    }

    public init(source: String, partition: String) {
        self.source = source
        self.partition = partition
    }
}

/// Below which offsets the targets of an adopted pipeline have everything already: what is read
/// there for the sake of others is dropped.
public struct AdoptionFloors: Sendable {
    private let byTarget: [TargetID: [PartitionKey: Int64]]

    /// Floors that lie above where reading begins; nil if there are none.
    public init?(_ floors: [TargetID: [PartitionOffset]], above positions: [PartitionOffset]) {
        var next: [PartitionKey: Int64] = [:]
        for position in positions { next[PartitionKey(position)] = position.next }
        var byTarget: [TargetID: [PartitionKey: Int64]] = [:]
        for (target, offsets) in floors {
            for offset in offsets where offset.next > next[PartitionKey(offset)] ?? 0 {
                byTarget[target, default: [:]][PartitionKey(offset)] = offset.next
            }
        }
        if byTarget.isEmpty { return nil }
        self.byTarget = byTarget
    }

    /// The floors of one partition, ascending, each once.
    public func floors(of partition: PartitionKey) -> [Int64] {
        Set(byTarget.values.compactMap { $0[partition] }).sorted()
    }

    /// Where a target stands while the sources are at `offsets`: never below what it has. Else an
    /// entry that it takes in between would send whoever adopts it next back to rows that it holds.
    public func raised(_ offsets: [PartitionOffset], of target: TargetID) -> [PartitionOffset] {
        guard let own = byTarget[target] else { return offsets }
        return offsets.map { offset in
            guard let floor = own[PartitionKey(offset)], floor > offset.next else { return offset }
            return PartitionOffset(
                source: offset.source, partition: offset.partition, next: floor, fingerprint: nil,
                highestTime: offset.highestTime, end: offset.end, detail: offset.detail)
        }
    }

    /// The targets that already have what stands at an offset.
    public func targets(having offset: Int64, of partition: PartitionKey) -> Set<TargetID> {
        Set(byTarget.filter { offset < $0.value[partition] ?? 0 }.keys)
    }
}
