// A column's values as JSON, one text a row.

import Columns
import Kernels
import Types

extension Column {
    /// `null` for NULL; else what `JSONValueText` writes, with a loop of its own for the usual
    /// types.
    func jsonTexts(_ type: LogicalType) -> ByteColumn {
        switch (values, type) {
        case (.int64(let values), .smallint), (.int64(let values), .integer),
            (.int64(let values), .bigint):
            return written { NumberText.append(values[$0], to: &$1) }
        case (.int64(let values), .timestamptz):
            return written {
                $1.append(0x22)
                CivilTime.appendISOTimestampTZ(values[$0], to: &$1)
                $1.append(0x22)
            }
        case (.int128(let values), .numeric(_, let scale)):
            return written { NumberText.append(values[$0], scale: scale, to: &$1) }
        case (.bytes(let texts), .text):
            return written { JSONValueText.appendString(texts[$0], to: &$1) }
        default:
            let column = self
            return written { JSONValueText.append(column, row: $0, type: type, to: &$1) }
        }
    }

    @inline(__always)
    private func written(_ write: (Int, inout [UInt8]) -> Void) -> ByteColumn {
        var data: [UInt8] = []
        var ranges: [ValueRange] = []
        let count = count
        data.reserveCapacity(count * 12)
        ranges.reserveCapacity(count)
        for row in 0..<count {
            let start = data.count
            if isValid(row) {
                write(row, &data)
            } else {
                data.append(contentsOf: [0x6e, 0x75, 0x6c, 0x6c])
            }
            ranges.append(ValueRange(start: start, length: data.count - start))
        }
        return ByteColumn(ranges: ranges, data: data)
    }
}
