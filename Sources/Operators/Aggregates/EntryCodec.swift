// One value of an ordered aggregate as bytes: its place in the order, then the value.
//
//     ordering columns as OrderedBytes · argument as RowCodec · length of the first part, 4 bytes
//
// Entries compare as bytes: the first part decides, rows equal in it go by the value. min and max
// are ordered by their argument; what needs no order (DISTINCT under sum) has an empty first part.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

struct EntryCodec {
    private let call: AggregateCall
    private let ordering: [AggregateCall.Ordering]
    private let codec: RowCodec

    init(_ call: AggregateCall) {
        self.call = call
        switch call.function {
        case .min, .max:
            ordering = [.init(column: call.arguments[0], isDescending: false, nullsFirst: false)]
        default: ordering = call.ordering
        }
        // Equal values of a set must be equal bytes.
        let isSet = call.isDistinct || call.function == .approximateCountDistinct
        codec = RowCodec([call.argumentTypes[0]], form: isSet ? .canonical : .exact)
    }

    /// The entries of rows of a batch.
    func encode(_ batch: Batch, rows: [Int32]) -> EncodedRows {
        let values = codec.encode(
            [batch.columns[call.arguments[0]]], rowCount: batch.rowCount, rows: rows)
        var bytes: [UInt8] = []
        var offsets = [0]
        offsets.reserveCapacity(rows.count + 1)
        let orderingColumns = ordering.map { batch.columns[$0.column] }
        for (index, row) in rows.enumerated() {
            let start = bytes.count
            for (column, order) in zip(orderingColumns, ordering) {
                OrderedBytes.append(
                    column, row: Int(row), isDescending: order.isDescending,
                    nullsFirst: order.nullsFirst, to: &bytes)
            }
            let length = UInt32(bytes.count - start)
            bytes.append(contentsOf: values[index])
            for shift in [UInt32(0), 8, 16, 24] {
                bytes.append(UInt8(truncatingIfNeeded: length >> shift))
            }
            offsets.append(bytes.count)
        }
        return EncodedRows(bytes: bytes, offsets: offsets)
    }

    /// The values of entries; nil: NULL.
    func values(_ entries: [ArraySlice<UInt8>?]) -> Column {
        let null: ArraySlice<UInt8> = [0]
        do {
            return try codec.decode(entries.lazy.map { $0.map(value) ?? null })[0]
        } catch {
            bug("an entry of an aggregate does not decode: \(error)")
        }
    }

    private func value(_ entry: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
        let end = entry.endIndex - 4
        guard end >= entry.startIndex else { return [] }
        var length = 0
        for index in 0..<4 { length |= Int(entry[end + index]) << (8 * index) }
        guard entry.startIndex + length <= end else { return [] }
        return entry[(entry.startIndex + length)..<end]
    }
}
