// Text results of one batch: one buffer, one range a row.

import Columns
import Contracts
import Types

/// Grows a column of text. A row's bytes are appended to `data`, then the row is ended.
struct TextOutput {
    private var ranges: [ValueRange] = []
    var data: [UInt8] = []
    private var start = 0
    private var validity: [Bool] = []
    private var hasNulls = false

    /// A column's buffer: ranges are 32 bits wide.
    static let bufferLimit = Int(UInt32.max)
    /// The longest text that a function makes longer than its arguments: 64 MiB. Without a limit,
    /// one `repeat` of a batch would take the process down.
    static let rowLimit = 1 << 26

    init(rowCount: Int, capacity: Int = 0) {
        ranges.reserveCapacity(rowCount)
        data.reserveCapacity(capacity)
    }

    /// Bytes of the row so far.
    var rowBytes: Int { data.count - start }

    /// Whether `count` more bytes may be appended to the row.
    func hasRoom(for count: Int) -> Bool {
        count <= Self.rowLimit && rowBytes + count <= Self.rowLimit
            && data.count + count <= Self.bufferLimit
    }

    @inline(__always)
    mutating func append(_ byte: UInt8) { data.append(byte) }

    @inline(__always)
    mutating func append(_ source: [UInt8], _ from: Int, _ to: Int) {
        data.append(contentsOf: source[from..<to])
    }

    mutating func append(_ text: StaticString) { data.append(contentsOf: text.description.utf8) }

    /// The row is done. A batch whose text does not fit one buffer loses this row to an error.
    @inline(__always)
    mutating func endRow(_ row: Int, _ errors: inout RowErrors, in call: KernelCall) {
        if data.count > Self.bufferLimit { return failRow(row, &errors, in: call) }
        ranges.append(ValueRange(start: start, length: data.count - start))
        if hasNulls { validity.append(true) }
        start = data.count
    }

    mutating func endNull() {
        data.removeLast(data.count - start)
        if !hasNulls {
            hasNulls = true
            validity = Array(repeating: true, count: ranges.count)
        }
        validity.append(false)
        ranges.append(ValueRange(start: start, length: 0))
    }

    /// The row's result would be too long.
    mutating func failRow(_ row: Int, _ errors: inout RowErrors, in call: KernelCall) {
        errors.note(row, .limit, "the resulting text is too long", in: call)
        endEmpty()
    }

    /// The row is not wanted, or has an error.
    mutating func endEmpty() {
        data.removeLast(data.count - start)
        ranges.append(ValueRange(start: start, length: 0))
        if hasNulls { validity.append(true) }
    }

    consuming func column(_ type: LogicalType) -> Column {
        Column(
            type, .bytes(ByteColumn(ranges: ranges, data: data)),
            validity: hasNulls ? validity : nil)
    }
}
