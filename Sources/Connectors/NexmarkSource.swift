// The nexmark generator as a source: any event can be made from its number, so offsets are enough.

import Columns
import Contracts
import Environment
import Formats
import Planning
import Progress
import Types

final class NexmarkSource: Source {
    let plan: SourcePlan
    private let options: NexmarkOptions
    private let generator: NexmarkGenerator
    private let clock: Clock
    private let wantsRowOffsets: Bool
    private let pace: NexmarkPace?

    init(
        _ plan: SourcePlan, _ options: NexmarkOptions, clock: Clock, wantsRowOffsets: Bool = false
    ) throws(Failure) {
        self.plan = plan
        self.options = options
        self.clock = clock
        self.wantsRowOffsets = wantsRowOffsets
        pace =
            options.isPaced
            ? NexmarkPace(rate: options.rate, partitions: options.partitions, clock: clock) : nil
        generator = try NexmarkGenerator(
            options, decoded: NexmarkSource.fieldNames(plan), declared: plan.format.declared,
            source: plan.name)
    }

    /// A flat table's fields by their own names: the plan calls them `bid.price`, the generator,
    /// which sees from the declared columns that the table is flat, `price`.
    private static func fieldNames(_ plan: SourcePlan) -> [DecodedColumn] {
        let declared = Set(plan.format.declared.map(\.name))
        return plan.decoded.map { column in
            guard case .field(let name, let position) = column.origin, !declared.contains(name),
                let dot = name.firstIndex(of: ".")
            else { return column }
            let own = String(name[name.index(after: dot)...])
            return DecodedColumn(.field(name: own, position: position), column.type)
        }
    }

    func discover() throws(Failure) -> [String] { (0..<options.partitions).map(String.init) }
    func checkpointed(_ offsets: [PartitionOffset]) {}
    var lag: Int64? { nil }

    /// An endless generator has no end that a bounded run could stop at.
    func resolve(
        partition: String, stored: PartitionOffset?, mode: RunMode
    ) throws(Failure) -> PartitionOffset {
        let end = Int(partition).flatMap { generator.end(ofPartition: $0) }
        if mode != .live, end == nil {
            throw Failure(
                .invalid, "nexmark.endless",
                "the nexmark source \"\(plan.name)\" is endless: it has no end to run to",
                hint: "say how many: WITH (events = 1000000)", place: plan.place)
        }
        let next = stored?.next ?? 0
        if let pace, let number = Int(partition) { pace.begins(partition: number, at: next) }
        return PartitionOffset(
            source: plan.name, partition: partition, next: next, fingerprint: nil,
            highestTime: stored?.highestTime ?? EventTime.never, end: end)
    }

    func makeReader(
        worker: Int, workers: Int, partitions: [PartitionOffset]
    ) throws(Failure) -> any SourceReader {
        NexmarkReader(
            plan, generator, partitions, pace: pace, clock: clock,
            wantsRowOffsets: wantsRowOffsets)
    }
}

private final class NexmarkReader: SourceReader {
    private let generator: NexmarkGenerator
    private let scan: Scan
    private let plan: SourcePlan
    private let pace: NexmarkPace?
    private let clock: Clock
    private let wantsRowOffsets: Bool
    private(set) var positions: [PartitionOffset]
    private var hasEnded: [Bool]
    private var turn = 0

    init(
        _ plan: SourcePlan, _ generator: NexmarkGenerator, _ partitions: [PartitionOffset],
        pace: NexmarkPace?, clock: Clock, wantsRowOffsets: Bool
    ) {
        self.plan = plan
        self.wantsRowOffsets = wantsRowOffsets
        self.generator = generator
        self.pace = pace
        self.clock = clock
        scan = Scan(plan)
        positions = partitions
        hasEnded = Array(repeating: false, count: partitions.count)
    }

    func add(_ partition: PartitionOffset) throws(Failure) {
        positions.append(partition)
        hasEnded.append(false)
    }

    func poll(maximumRows: Int) throws(Failure) -> SourceChunk? {
        for step in positions.indices {
            let partition = (turn + step) % positions.count
            if hasEnded[partition] { continue }
            let due = dueRows(partition, maximumRows)
            if due == 0 { continue }
            turn = (partition + 1) % positions.count
            return next(partition, due)
        }
        return nil
    }

    private func dueRows(_ partition: Int, _ maximumRows: Int) -> Int {
        guard let pace, let number = Int(positions[partition].partition) else {
            return maximumRows
        }
        let next = positions[partition].next
        // An empty partition still has to say that it has ended.
        if let end = positions[partition].end, next >= end { return maximumRows }
        return Int(max(0, min(pace.end(ofPartition: number) - next, Int64(maximumRows))))
    }

    private func next(_ partition: Int, _ maximumRows: Int) -> SourceChunk {
        let position = positions[partition]
        let number = Int(position.partition).required("a partition that is no number")
        let rows = generator.rows(
            partition: number, from: position.next, count: maximumRows,
            extractedAt: clock.now())
        positions[partition] = PartitionOffset(
            source: position.source, partition: position.partition, next: rows.nextOffset,
            fingerprint: nil, highestTime: position.highestTime, end: position.end)
        hasEnded[partition] = rows.isEnd
        let unknown = [Int64](repeating: -1, count: rows.batch.rowCount)
        let result = scan.check(rows.batch, timestamps: unknown)
        let refused = result.errors.map { error in
            RefusedRecord(
                source: plan.name, topic: plan.name, partition: position.partition,
                offset: rows.offsets[error.row], timestamp: -1, key: nil, value: nil, error: error)
        }
        let records = Int(rows.nextOffset - position.next)
        return SourceChunk(
            partition: partition, batch: result.batch, refused: refused, recordCount: records,
            skippedCount: records - rows.batch.rowCount, isAtEnd: rows.isEnd,
            rowOffsets: wantsRowOffsets ? result.kept(of: rows.offsets) : [])
    }
}
