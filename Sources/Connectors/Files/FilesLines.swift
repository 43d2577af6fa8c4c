// Text files: one record a line, or a csv record that may hold newlines inside quotes.

import Columns
import Contracts
import Environment
import Formats
import Planning

/// Reads the records of a text file. The bytes of a poll are one buffer that the decoder takes
/// over.
final class LinesCursor: FilesCursor {
    private let context: FilesCursorPlan
    private let stream: FilesStream
    private let decoder: MessageDecoder
    private let end: Int64?
    private let isCSV: Bool
    private var buffer: [UInt8] = []
    /// The first byte of `buffer` that was not handed out, and its plain offset.
    private var start = 0
    private(set) var position: Int64 = 0
    private(set) var previous: (offset: Int64, hash: UInt64)?
    private var takesLastLine: Bool
    /// Where to go on once the csv header is read; nil: it is read, or there is none.
    private var behindHeader: Int64?

    init(
        _ context: FilesCursorPlan, _ path: String, at offset: Int64, end: Int64?
    ) throws(Failure) {
        self.context = context
        self.end = end
        let format = context.plan.format
        stream = try FilesStream(path)
        decoder = try MessageDecoder(context.plan, topic: path)
        isCSV = format.kind == .csv
        takesLastLine = end != nil
        if isCSV, format.hasHeader {
            behindHeader = offset
        } else if offset > 0 {
            guard try stream.skip(to: offset) else { throw LinesCursor.shrank(path, offset) }
            position = offset
        }
    }

    static func shrank(_ path: String, _ offset: Int64) -> Failure {
        Failure(
            .dataLost, "files.shrank",
            "\(path) has shrunk: what was to be read at \(offset) is gone",
            hint: "on_offset_lost = 'earliest' reads it again, 'latest' goes on behind it")
    }

    func finish() { takesLastLine = true }

    func next(maximumRows: Int) throws(Failure) -> FilesRows? {
        if let target = behindHeader {
            guard try readHeader(target) else { return nil }
            behindHeader = nil
        }
        while true {
            let ends = cut(maximumRows)
            if !ends.isEmpty {
                if let rows = try decode(ends, isWhole: true) { return rows }
                continue
            }
            if try fill() { continue }
            guard takesLastLine, start < buffer.count else { return nil }
            buffer.append(0x0a)
            return try decode([buffer.count - 1], isWhole: false)
        }
    }

    /// Reads on. False: the file has no more bytes at present.
    private func fill() throws(Failure) -> Bool {
        let held = buffer.count - start
        guard held <= FilesCursorLimit.recordBytes else {
            throw Failure(
                .failed, "files.record_too_long",
                "\(stream.file.path): the record at \(position) is longer than "
                    + "\(FilesCursorLimit.recordBytes >> 20) MiB",
                hint: isCSV ? "a quote may not be closed" : nil)
        }
        if start > 0 {
            buffer.removeSubrange(..<start)
            start = 0
        }
        // A record longer than a chunk is read in steps that double, so it isn't searched too
        // often.
        var count = max(FilesCursorLimit.chunkBytes, held)
        if let end { count = Int(min(Int64(count), end - position - Int64(held))) }
        if count <= 0 { return false }
        let got = try stream.read(count, appendingTo: &buffer)
        if got == 0, let end { try checkEnd(end) }
        return got > 0
    }

    private func checkEnd(_ end: Int64) throws(Failure) {
        throw LinesCursor.shrank(stream.file.path, min(end, position))
    }

    /// Places of the newlines that end the next records, at most `limit`.
    private func cut(_ limit: Int) -> [Int] {
        let range = start..<buffer.count
        guard isCSV else {
            return ByteSearch.positions(of: 0x0a, in: buffer, range, limit: limit)
        }
        let quote = ByteSearch.positions(of: 0x22, in: buffer, range, limit: 1).first
        let plain = start..<(quote ?? buffer.count)
        var ends = ByteSearch.positions(of: 0x0a, in: buffer, plain, limit: limit)
        if quote != nil, ends.count < limit {
            cutQuoted(from: ends.last.map { $0 + 1 } ?? start, limit, &ends)
        }
        return ends
    }

    /// A quote opens only where a field begins: inside a plain field it is a character like others.
    private func cutQuoted(from first: Int, _ limit: Int, _ ends: inout [Int]) {
        let delimiter = context.plan.format.delimiter
        var isQuoted = false
        var isQuotedField = false
        var begins = true
        for index in first..<buffer.count {
            let byte = buffer[index]
            if isQuoted {
                if byte == 0x22 { isQuoted = false }
            } else if byte == 0x22 {
                // A doubled quote closes and opens again, which comes to the same.
                if begins { isQuotedField = true }
                isQuoted = begins || (isQuotedField && buffer[index - 1] == 0x22)
            } else if byte == 0x0a {
                ends.append(index)
                if ends.count == limit { return }
            }
            begins = !isQuoted && (byte == delimiter || byte == 0x0a)
            if begins { isQuotedField = false }
        }
    }

    /// Takes the records that end at `ends`; nil: all of them were blank lines. `isWhole`: the last
    /// newline stands in the file.
    private func decode(_ ends: [Int], isWhole: Bool) throws(Failure) -> FilesRows? {
        let last = ends.last.required("records without an end")
        let first = start
        let base = position
        var ranges: [ValueRange] = []
        var offsets: [Int64] = []
        ranges.reserveCapacity(ends.count)
        offsets.reserveCapacity(ends.count)
        var begin = first
        var lastBegin = first
        for end in ends {
            let length = end - begin
            if length > 1 || (length == 1 && buffer[begin] != 0x0d) {
                ranges.append(ValueRange(start: begin - first, length: length))
                offsets.append(base + Int64(begin - first))
            }
            lastBegin = begin
            begin = end + 1
        }
        let behind = isWhole ? last + 1 : last
        previous = (base + Int64(lastBegin - first), FilesHash.of(buffer[lastBegin..<behind]))
        position = base + Int64(behind - first)
        let lines = Array(buffer[first...last])
        start = last + 1
        guard !ranges.isEmpty else { return nil }
        return try decode(
            MessageBatch(
                lines: lines, ranges: ranges, offsets: offsets, partition: context.number))
    }

    private func decode(_ messages: MessageBatch) throws(Failure) -> FilesRows {
        let decoded = try decoder.decode(messages, extractedAt: context.clock.now())
        let errors = decoded.errors.map { error in
            FilesRows.BadRecord(
                offset: messages.offsets[error.row],
                value: messages.value(error.row).map(Array.init),
                error: error)
        }
        return FilesRows(
            batch: decoded.batch, offsets: decoded.messages.map { messages.offsets[Int($0)] },
            errors: errors, recordCount: messages.count, skippedCount: decoded.skipped,
            bytes: { messages.value(Int(decoded.messages[$0])).map(Array.init) })
    }

    // MARK: Header

    /// Reads the first record, then goes to `target`. False: it is not there yet.
    private func readHeader(_ target: Int64) throws(Failure) -> Bool {
        var end = cut(1).first
        while end == nil, try fill() { end = cut(1).first }
        if end == nil, takesLastLine, !buffer.isEmpty { end = buffer.count }
        guard let end else { return false }
        var line = Array(buffer[..<end])
        if line.starts(with: [0xef, 0xbb, 0xbf]) { line.removeFirst(3) }
        do {
            try decoder.readHeader(line)
        } catch {
            throw Failure(
                error.kind, error.code, "\(stream.file.path): \(error.message)", hint: error.hint)
        }
        let behind = Int64(min(end + 1, buffer.count))
        if target <= Int64(buffer.count) {
            start = Int(max(target, behind))
        } else {
            buffer = []
            start = 0
            guard try stream.skip(to: target) else {
                throw LinesCursor.shrank(stream.file.path, target)
            }
        }
        position = max(target, behind)
        return true
    }
}
