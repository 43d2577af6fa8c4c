// One worker's reading of a Kafka topic: poll, decode, check, one chunk a partition.

import Columns
import Contracts
import Environment
import Formats
import KafkaIO
import Planning
import Progress
import Types

final class KafkaReader: SourceReader {
    private let source: KafkaSource
    private let queue: Int
    private let decoder: MessageDecoder
    private let scan: Scan
    private(set) var positions: [PartitionOffset]
    private var numbers: [Int32: Int] = [:]
    private var hasEnded: [Bool]
    /// What the progress line shows, one a partition.
    private var shown: [KafkaReadPosition] = []
    /// Decoded and not yet handed out; `positions` moves when a chunk is.
    private var waiting: [Waiting] = []
    private var nextWaiting = 0
    /// This reader has met a disturbance since records last came.
    private var isTroubled = false

    private struct Waiting {
        let chunk: SourceChunk
        let next: Int64
        let fingerprint: PartitionOffset.Fingerprint?
    }

    init(
        _ source: KafkaSource, queue: Int, _ partitions: [PartitionOffset]
    ) throws(Failure) {
        self.source = source
        self.queue = queue
        decoder = try MessageDecoder(source.plan, topic: source.topic)
        scan = Scan(source.plan)
        positions = partitions
        hasEnded = Array(repeating: false, count: partitions.count)
        var assignments: [KafkaAssignment] = []
        for (index, partition) in partitions.enumerated() {
            let number = try source.number(partition.partition)
            numbers[number] = index
            shown.append(source.readPositions.watch(number, partition))
            if endAtOnce(index) { continue }
            assignments.append(
                KafkaAssignment(partition: number, offset: partition.next, queue: queue))
        }
        try source.consumer.assign(assignments)
    }

    func add(_ partition: PartitionOffset) throws(Failure) {
        let number = try source.number(partition.partition)
        numbers[number] = positions.count
        positions.append(partition)
        shown.append(source.readPositions.watch(number, partition))
        hasEnded.append(false)
        try source.consumer.assign([
            KafkaAssignment(partition: number, offset: partition.next, queue: queue)
        ])
    }

    /// A partition with nothing to read up to its end says so without asking the broker.
    private func endAtOnce(_ index: Int) -> Bool {
        guard let end = positions[index].end, positions[index].next >= end else { return false }
        hasEnded[index] = true
        waiting.append(
            Waiting(chunk: ended(index), next: positions[index].next, fingerprint: nil))
        return true
    }

    func poll(maximumRows: Int) throws(Failure) -> SourceChunk? {
        if nextWaiting == waiting.count { try fetch(maximumRows) }
        guard nextWaiting < waiting.count else { return nil }
        defer { nextWaiting += 1 }
        let next = waiting[nextWaiting]
        let at = positions[next.chunk.partition]
        positions[next.chunk.partition] = PartitionOffset(
            source: at.source, partition: at.partition, next: max(at.next, next.next),
            fingerprint: next.fingerprint ?? at.fingerprint, highestTime: at.highestTime,
            end: at.end)
        shown[next.chunk.partition].move(to: max(at.next, next.next))
        return next.chunk
    }

    private func fetch(_ maximumRows: Int) throws(Failure) {
        waiting.removeAll(keepingCapacity: true)
        nextWaiting = 0
        let poll = source.consumer.queues[queue].poll(
            maximumMessages: maximumRows, timeout: .zero)
        if isTroubled, !poll.messages.isEmpty || !poll.positions.isEmpty {
            isTroubled = false
            source.note(trouble: nil)
        }
        try heed(poll.events + (queue == 0 ? source.consumer.takeEvents() : []))
        if !poll.messages.isEmpty { try take(poll.messages, poll.positions) }
        for position in poll.positions { try move(position) }
    }

    /// Decodes all partitions' messages in one call and cuts the result by partition.
    private func take(
        _ messages: MessageBatch, _ moved: [KafkaPosition]
    ) throws(Failure) {
        let decoded = try decoder.decode(messages, extractedAt: source.context.clock.now())
        let timestamps = decoded.messages.map { messages.timestamps[Int($0)] }
        let checked = scan.check(decoded.batch, timestamps: timestamps)
        var kept = decoded.messages
        var errors = decoded.errors
        if let rows = checked.kept {
            kept = rows.map { decoded.messages[Int($0)] }
            errors += checked.errors.map { error in
                var error = error
                error.row = Int(decoded.messages[error.row])
                return error
            }
        }
        var start = 0
        while start < messages.count {
            var end = start + 1
            while end < messages.count, messages.partitions[end] == messages.partitions[start] {
                end += 1
            }
            addChunk(messages, start..<end, rows: checked.batch, kept: kept, errors: errors)
            start = end
        }
    }

    /// One partition's run of messages, without those behind a bounded end. `kept`: the message of
    /// each row, ascending.
    private func addChunk(
        _ messages: MessageBatch, _ run: Range<Int>, rows: Batch, kept: [Int32],
        errors: [RowError]
    ) {
        guard let index = numbers[messages.partitions[run.lowerBound]], !hasEnded[index] else {
            return
        }
        let limit = positions[index].end ?? .max
        let first = max(positions[index].next, 0)
        let own =
            run.first(where: messages.offsets, isAtLeast: first)
            ..< run.first(where: messages.offsets, isAtLeast: max(limit, first))
        guard !own.isEmpty else { return }
        let all = 0..<kept.count
        let selected =
            all.first(where: kept, isAtLeast: Int32(own.lowerBound))
            ..< all.first(where: kept, isAtLeast: Int32(own.upperBound))
        let batch =
            selected == 0..<rows.rowCount ? rows : rows.gather(selected.map { Int32($0) })
        let refused = errors.filter { own.contains($0.row) }
            .map { refuse($0, messages, positions[index].partition) }
        // A record that moves a row to another key gives two rows.
        var records = batch.rowCount
        if batch.changes != nil {
            records -= selected.dropFirst().count { kept[$0] == kept[$0 - 1] }
        }
        let last = own.upperBound - 1
        waiting.append(
            Waiting(
                chunk: SourceChunk(
                    partition: index, batch: batch, refused: refused, recordCount: own.count,
                    skippedCount: own.count - records - refused.count,
                    isAtEnd: false,
                    rowOffsets: source.context.wantsRowOffsets
                        ? kept[selected].map { messages.offsets[Int($0)] } : []),
                next: messages.offsets[last] + 1,
                fingerprint: KafkaPositions.fingerprint(messages, message: last)))
    }

    private func refuse(
        _ error: RowError, _ messages: MessageBatch, _ partition: String
    ) -> RefusedRecord {
        RefusedRecord(
            source: source.plan.name, topic: source.topic, partition: partition,
            offset: messages.offsets[error.row], timestamp: messages.timestamps[error.row],
            key: messages.key(error.row).map { Array($0) },
            value: messages.value(error.row).map { Array($0) }, error: error)
    }

    /// Moves over control records and gaps, and notes ends: an empty chunk behind the rows.
    private func move(_ position: KafkaPosition) throws(Failure) {
        guard let index = numbers[position.partition], !hasEnded[index] else { return }
        if let end = positions[index].end {
            guard position.next >= end else { return }
            hasEnded[index] = true
            waiting.append(Waiting(chunk: ended(index), next: end, fingerprint: nil))
            try source.consumer.pause([position.partition])
        } else if position.isEnd {
            waiting.append(Waiting(chunk: ended(index), next: position.next, fingerprint: nil))
        }
    }

    private func ended(_ index: Int) -> SourceChunk {
        let empty = Batch(
            rowCount: 0, columns: source.plan.schema.fields.map { Column.nulls($0.type, count: 0) })
        return SourceChunk(
            partition: index, batch: empty, refused: [], recordCount: 0, skippedCount: 0,
            isAtEnd: true)
    }

    /// Goes on where the log still has records; a bounded end that lies behind the log's is drawn
    /// in.
    private func recover(_ partition: Int32, _ index: Int) throws(Failure) {
        let at = positions[index]
        let found = try source.recover(partition, at: at.next, queue: queue)
        positions[index] = PartitionOffset(
            source: at.source, partition: at.partition, next: found.next, fingerprint: nil,
            highestTime: at.highestTime, end: at.end.map { min($0, found.end) })
        guard !hasEnded[index] else { return }
        _ = endAtOnce(index)
    }

    /// A broker that is away is waited for; what cannot come back ends the run.
    private func heed(_ events: [KafkaEvent]) throws(Failure) {
        for event in events {
            switch event {
            case .disturbance(let failure):
                if source.context.failFast { throw failure }
                isTroubled = true
                source.note(trouble: failure.message)
                source.context.log(
                    LogLine(.warning, failure.message, [("code", failure.code)]))
            case .offsetLost(let partition, _):
                guard let index = numbers[partition] else { continue }
                try recover(partition, index)
            case .fatal(let failure), .partitionFailed(_, let failure): throw failure
            }
        }
    }
}

extension Range<Int> {
    /// The first position whose value is ≥ `bound`, or the end; values ascend over the range.
    /// Complexity: O(log count).
    fileprivate func first<Value: FixedWidthInteger>(
        where values: [Value], isAtLeast bound: Value
    ) -> Int {
        var low = lowerBound
        var high = upperBound
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < bound { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
