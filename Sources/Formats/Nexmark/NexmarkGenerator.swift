// Nexmark's events as columns (https://datalab.cs.pdx.edu/niagara/NEXMark): the auction site's
// bids, auctions and new people, deterministic, from any event on.
//
// Event n belongs to partition n % partitions; its offset there is n / partitions. With
// `out_of_order` = g > 1 the events of each group of g come in the order (i × 953) % g, as in the
// original. A table is wide (columns `event_type`: 0 person, 1 auction, 2 bid; `date_time`; rows
// `person`, `auction`, `bid`, or single fields as `"bid.price"`), one row an event; or flat (a
// bid's, an auction's or a person's fields by their own names), and then other events are passed
// over.

public import Columns
public import Contracts
public import Planning
public import Types

/// A part of the stream.
public struct NexmarkRows: Sendable {
    /// The columns of `SourcePlan.decoded`, in that order.
    public let batch: Batch
    /// The offset that each row has in its partition.
    public let offsets: [Int64]
    /// Where to read on; it has moved over events without a row, too.
    public let nextOffset: Int64
    /// Whether the partition ends at `nextOffset`.
    public let isEnd: Bool
}

/// Makes the events that a table declares. A value: any number of workers can use it.
public struct NexmarkGenerator: Sendable {
    private let options: NexmarkOptions
    private let events: NexmarkEvents
    private let texts: NexmarkTexts
    private let outputs: [Output]
    /// A flat table's kind; nil: wide.
    private let record: NexmarkRecord?
    private let source: [UInt8]

    private indirect enum Output: Sendable {
        case field(NexmarkField, NexmarkRecord?, LogicalType)
        case row(NexmarkRecord, [(field: NexmarkField, type: LogicalType)], LogicalType)
        case metadata(MetadataColumn)
    }

    /// `declared`: all columns of the table; they decide whether it is wide or flat. Throws for a
    /// column that no event has, or of another type.
    public init(
        _ options: NexmarkOptions, decoded: [DecodedColumn], declared: [Field], source: String
    ) throws(Failure) {
        guard options.rate > 0, options.partitions > 0, options.outOfOrder > 0,
            options.outOfOrder % 953 != 0 || options.outOfOrder == 1
        else {
            throw Failure(
                .invalid, "nexmark.option",
                "rate, partitions and out_of_order must be positive, the latter no multiple of 953")
        }
        self.options = options
        self.source = Array(source.utf8)
        events = NexmarkEvents(
            seed: UInt64(bitPattern: options.seed), rate: options.rate,
            startTime: options.startTime)
        texts = NexmarkTexts(events)
        let fields = decoded.compactMap { column -> Field? in
            guard case .field(let name, _) = column.origin else { return nil }
            return Field(name, column.type)
        }
        record = Self.flatRecord(declared.isEmpty ? fields : declared)
        outputs = try Self.outputs(decoded, record)
    }

    /// The kind of event that has all these fields, if the table is flat.
    private static func flatRecord(_ fields: [Field]) -> NexmarkRecord? {
        NexmarkRecord.allCases.first { record in
            fields.allSatisfy { field in
                record.field(field.name).map { $0.fits(field.type) } ?? false
            }
        } ?? NexmarkRecord.allCases.first { record in
            !fields.isEmpty && fields.allSatisfy { record.field($0.name) != nil && !$0.type.isRow }
        }
    }

    private static func outputs(
        _ decoded: [DecodedColumn], _ record: NexmarkRecord?
    ) throws(Failure) -> [Output] {
        var result: [Output] = []
        for column in decoded {
            switch column.origin {
            case .metadata(let metadata): result.append(.metadata(metadata))
            case .field(let name, _):
                result.append(try output(name, column.type, record))
            case .wholeValue, .incomplete:
                throw Failure(.invalid, "nexmark.raw", "nexmark has no raw values")
            }
        }
        return result
    }

    private static func output(
        _ name: String, _ type: LogicalType, _ record: NexmarkRecord?
    ) throws(Failure) -> Output {
        if let record {
            guard let field = record.field(name) else { throw unknown(name) }
            return .field(try checked(field, name, type), record, type)
        }
        if case .row(let row) = type, let record = NexmarkRecord(rawValue: name) {
            var fields: [(NexmarkField, LogicalType)] = []
            for part in row.fields {
                let path = "\(name).\(part.name)"
                guard let field = record.field(part.name) else { throw unknown(path) }
                fields.append((try checked(field, path, part.type), part.type))
            }
            return .row(record, fields, type)
        }
        let parts = name.split(separator: ".", maxSplits: 1).map(String.init)
        if parts.count == 2, let record = NexmarkRecord(rawValue: parts[0]) {
            guard let field = record.field(parts[1]) else { throw unknown(name) }
            return .field(try checked(field, name, type), record, type)
        }
        for field in [NexmarkField.time, .eventType] where field.name == name {
            return .field(try checked(field, name, type), nil, type)
        }
        throw unknown(name)
    }

    private static func checked(
        _ field: NexmarkField, _ name: String, _ type: LogicalType
    ) throws(Failure) -> NexmarkField {
        guard field.fits(type) else {
            throw Failure(
                .invalid, "nexmark.type",
                "nexmark's \"\(name)\" is \(field.typeName), not \(type)")
        }
        return field
    }

    private static func unknown(_ name: String) -> Failure {
        let known = NexmarkRecord.allCases.flatMap { $0.fields.map(\.name) }
            + ["event_type", "bid", "auction", "person"]
        return Failure(
            .invalid, "nexmark.column", "nexmark has no column \"\(name)\"",
            hint: nearestName(to: name, among: known).map { "did you mean \"\($0)\"?" }
                ?? "a table has a bid's, an auction's or a person's fields, or event_type, "
                + "date_time and the rows person, auction, bid")
    }

    /// Events of the partition; nil: endless.
    public func end(ofPartition partition: Int) -> Int64? {
        options.events.map { events in
            let width = Int64(options.partitions)
            return max(0, (events - Int64(partition) + width - 1) / width)
        }
    }

    /// The number of the event that stands at an offset.
    @inline(__always)
    private func number(_ partition: Int, _ offset: Int64) -> Int64 {
        let position = offset &* Int64(options.partitions) &+ Int64(partition)
        guard options.outOfOrder > 1 else { return position }
        let group = Int64(options.outOfOrder)
        return position / group &* group &+ position % group &* 953 % group
    }

    /// The events of a partition from `offset` on, at most `count` of them, as rows.
    /// `extractedAt` in µs. Complexity: O(count).
    public func rows(
        partition: Int, from offset: Int64, count: Int, extractedAt: Int64 = 0
    ) -> NexmarkRows {
        require(
            partition >= 0 && partition < options.partitions && offset >= 0 && count >= 0,
            "nexmark partition \(partition) offset \(offset) count \(count)")
        var last = offset + Int64(count)
        let end = end(ofPartition: partition)
        if let end { last = max(offset, min(last, end)) }
        var numbers: [Int64] = []
        var offsets: [Int64] = []
        numbers.reserveCapacity(count)
        offsets.reserveCapacity(count)
        for place in offset..<last {
            let event = number(partition, place)
            if let record, !record.holds(event) { continue }
            numbers.append(event)
            offsets.append(place)
        }
        let columns = outputs.map {
            column($0, numbers, offsets, Int64(partition), extractedAt)
        }
        return NexmarkRows(
            batch: Batch(rowCount: numbers.count, columns: columns), offsets: offsets,
            nextOffset: last, isEnd: end.map { last >= $0 } ?? false)
    }

    private func column(
        _ output: Output, _ numbers: [Int64], _ offsets: [Int64], _ partition: Int64,
        _ extractedAt: Int64
    ) -> Column {
        switch output {
        case .metadata(let metadata):
            return column(metadata, numbers, offsets, partition, extractedAt)
        case .field(let field, let owner, let type):
            let valid = owner == record ? nil : owner.map { mask($0, numbers) }
            return Column(type, values(field, numbers, valid), validity: valid)
        case .row(let owner, let fields, let type):
            let valid = mask(owner, numbers)
            let columns = fields.map {
                Column($0.type, values($0.field, numbers, valid), validity: valid)
            }
            return Column(
                type, .row(RowColumn(fields: columns, count: numbers.count)), validity: valid)
        }
    }

    private func mask(_ record: NexmarkRecord, _ numbers: [Int64]) -> [Bool] {
        numbers.map { record.holds($0) }
    }

    private func column(
        _ metadata: MetadataColumn, _ numbers: [Int64], _ offsets: [Int64], _ partition: Int64,
        _ extractedAt: Int64
    ) -> Column {
        let count = numbers.count
        switch metadata {
        case .partition: return Column(.integer, repeating: .int64(partition), count: count)
        case .offset: return Column(.bigint, .int64(offsets))
        case .timestamp: return Column(.timestamptz, values(.time, numbers, nil))
        case .extractedAt:
            return Column(.timestamptz, repeating: .int64(extractedAt), count: count)
        case .source: return Column(.text, repeating: .bytes(source), count: count)
        case .topic: return .nulls(.text, count: count)
        case .key, .value: return .nulls(.bytea, count: count)
        case .headers:
            let row = RowType(name: nil, fields: [Field("key", .text), Field("value", .bytea)])
            return .nulls(.array(.row(row)), count: count)
        }
    }

    private func values(
        _ field: NexmarkField, _ numbers: [Int64], _ valid: [Bool]?
    ) -> ColumnValues {
        let events = events
        switch field {
        case .bidAuction: return integers(numbers) { events.bidAuction($0) }
        case .bidBidder: return integers(numbers) { events.bidder($0) }
        case .bidPrice: return integers(numbers) { events.price($0, .price) }
        case .auctionID: return integers(numbers) { events.auctionID($0) }
        case .auctionInitialBid: return integers(numbers) { events.price($0, .initialBid) }
        case .auctionReserve:
            return integers(numbers) {
                events.price($0, .initialBid) &+ events.price($0, .reserve)
            }
        case .auctionExpires: return integers(numbers) { events.expires($0) }
        case .auctionSeller: return integers(numbers) { events.seller($0) }
        case .auctionCategory: return integers(numbers) { events.category($0) }
        case .personID: return integers(numbers) { events.personID($0) }
        case .time: return integers(numbers) { events.time($0) }
        case .eventType:
            return integers(numbers) { event in
                let position = event % NexmarkEvents.proportion
                return position == 0 ? 0 : position <= NexmarkEvents.auctionsPerEpoch ? 1 : 2
            }
        default: return .bytes(text(field, numbers, valid))
        }
    }

    @inline(__always)
    private func integers(_ numbers: [Int64], _ value: (Int64) -> Int64) -> ColumnValues {
        .int64(
            [Int64](capacity: numbers.count) { output in
                for event in numbers { output.append(value(event)) }
            })
    }

    private func text(
        _ field: NexmarkField, _ numbers: [Int64], _ valid: [Bool]?
    ) -> ByteColumn {
        let events = events
        func cut(_ draw: NexmarkEvents.Draw, _ average: UInt64) -> ByteColumn {
            ByteColumn(
                ranges: numbers.map {
                    NexmarkTexts.cut(events.draw($0, draw), average: average)
                }, data: texts.pool)
        }
        switch field {
        case .bidChannel:
            let ranges = numbers.map { texts.channels[NexmarkTexts.channel(events, $0)] }
            return ByteColumn(ranges: ranges, data: texts.channelData)
        case .bidURL:
            let ranges = numbers.map { texts.urls[NexmarkTexts.channel(events, $0)] }
            return ByteColumn(ranges: ranges, data: texts.urlData)
        case .bidExtra: return cut(.extra, 60)
        case .auctionItem: return cut(.itemName, 20)
        case .auctionDescription: return cut(.description, 100)
        case .auctionExtra: return cut(.extra, 200)
        case .personExtra: return cut(.extra, 100)
        default: return personText(field, numbers, valid)
        }
    }

    /// People are few: their texts are put together one by one.
    private func personText(
        _ field: NexmarkField, _ numbers: [Int64], _ valid: [Bool]?
    ) -> ByteColumn {
        var data: [UInt8] = []
        var ranges: [ValueRange] = []
        ranges.reserveCapacity(numbers.count)
        for (row, event) in numbers.enumerated() {
            let start = data.count
            if valid?[row] ?? true { appendPersonText(field, event, &data) }
            ranges.append(ValueRange(start: start, length: data.count - start))
        }
        return ByteColumn(ranges: ranges, data: data)
    }

    private func appendPersonText(
        _ field: NexmarkField, _ event: Int64, _ data: inout [UInt8]
    ) {
        func pick(_ list: [String], _ draw: NexmarkEvents.Draw) -> String.UTF8View {
            list[Int(events.draw(event, draw, below: UInt64(list.count)))].utf8
        }
        switch field {
        case .personName:
            data.append(contentsOf: pick(NexmarkTexts.firstNames, .firstName))
            data.append(UInt8(ascii: " "))
            data.append(contentsOf: pick(NexmarkTexts.lastNames, .lastName))
        case .personEmail:
            let bits = events.draw(event, .email)
            let name = Int(bits % NexmarkTexts.poolLength)
            let host = Int((bits >> 32) % NexmarkTexts.poolLength)
            data.append(contentsOf: texts.pool[name..<name + 7])
            data.append(UInt8(ascii: "@"))
            data.append(contentsOf: texts.pool[host..<host + 5])
            data.append(contentsOf: ".com".utf8)
        case .personCard:
            var bits = events.draw(event, .creditCard)
            for digit in 0..<16 {
                if digit > 0, digit % 4 == 0 { data.append(UInt8(ascii: " ")) }
                data.append(UInt8(ascii: "0") + UInt8(bits % 10))
                bits /= 10
            }
        case .personCity: data.append(contentsOf: pick(NexmarkTexts.cities, .city))
        case .personState: data.append(contentsOf: pick(NexmarkTexts.states, .state))
        default: bug("\(field) is no text of a person")
        }
    }
}

extension LogicalType {
    fileprivate var isRow: Bool {
        if case .row = self { return true }
        return false
    }
}
