// The rows of a session themselves, kept until it closes.
//
// Equal rows are one entry with a count. An entry begins with the row's time, so that a session's
// rows leave in the order of their times; rows of one time in the order of their bytes, which does
// not depend on arrival.

import Columns
import Contracts
import Kernels
import State
import Types

final class RowAccumulators: ValueAccumulators {
    private let timeColumn: Int
    private let codec: RowCodec
    private var values = ValueMultiset()

    /// `types`: the input's columns, of which `timeColumn` has the time.
    init(_ types: [LogicalType], timeColumn: Int) {
        self.timeColumn = timeColumn
        codec = RowCodec(types, form: .exact)
    }

    var multiset: ValueMultiset? { values }
    var byteCount: Int { values.byteCount }

    func grow(to capacity: Int) { values.grow(to: capacity) }
    func clear(_ group: Int32) { values.clear(group) }
    func release() { values = ValueMultiset() }

    func update(_ batch: Batch, _ folded: FoldedRows) {
        guard case .int64(let times) = batch.columns[timeColumn].values else { return }
        let encoded = codec.encode(batch.columns, rowCount: batch.rowCount, rows: folded.rows)
        var entry: [UInt8] = []
        for index in folded.rows.indices {
            entry.removeAll(keepingCapacity: true)
            entry.appendOrdered(times[Int(folded.rows[index])])
            entry.append(contentsOf: encoded[index])
            values.add(entry[...], to: folded.groups[index], change: 1)
        }
    }

    func merge(_ other: any Accumulators, groups: [Int32], into: [Int32]) {
        let other = same(other)
        for index in groups.indices {
            for (bytes, count) in other.values.values(of: groups[index]) {
                values.add(bytes, to: into[index], change: count)
            }
        }
    }

    /// The rows of a group, by time.
    func rows(of group: Int32) -> [Column] {
        let sorted = values.values(of: group).sorted { OrderedBytes.isLess($0.bytes, $1.bytes) }
        do {
            return try codec.decode(
                sorted.flatMap { repeatElement($0.bytes.dropFirst(8), count: Int($0.count)) })
        } catch {
            bug("a row of a session does not decode: \(error)")
        }
    }

    func results(_ groups: [Int32], errors: inout RowErrors) -> Column {
        bug("rows are no result of an aggregate")
    }

    // All that is kept are entries.
    func encode(_ group: Int32, into bytes: inout [UInt8]) {}
    func decode(_ group: Int32, _ reader: inout ByteReader) throws(Failure) {}

    func takeChanges(_ body: (Int32, ArraySlice<UInt8>, Int64?) -> Void) {
        values.takeChanges(body)
    }

    func restore(_ bytes: ArraySlice<UInt8>, to group: Int32, count: Int64) {
        values.restore(bytes, to: group, count: count)
    }
}
