// lower, upper, initcap: Unicode's simple case mappings (one code point to one code point), which
// is what PostgreSQL's towlower and towupper do. "ß" so stays "ß".

import Columns
import Types

enum TextCase {
    case lower, upper

    func kernel(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        return Column(.text, .bytes(mapped(input)))
    }

    /// The same ranges over a mapped buffer when all is ASCII, else row by row.
    func mapped(_ input: ByteColumn) -> ByteColumn {
        var used = 0
        for range in input.ranges { used &+= range.count }
        var high: UInt8 = 0
        if input.data.count <= used &* 2 {
            for byte in input.data { high |= byte }
            if high < 0x80 { return ByteColumn(ranges: input.ranges, data: ascii(input.data)) }
        }
        var output: [UInt8] = []
        output.reserveCapacity(used)
        var ranges: [ValueRange] = []
        ranges.reserveCapacity(input.ranges.count)
        for range in input.ranges {
            let start = output.count
            append(input.data, range.lowerBound, range.upperBound, to: &output)
            ranges.append(ValueRange(start: start, length: output.count - start))
        }
        return ByteColumn(ranges: ranges, data: output)
    }

    private func ascii(_ data: [UInt8]) -> [UInt8] {
        let first = self == .lower ? UInt8(ascii: "A") : UInt8(ascii: "a")
        return [UInt8](capacity: data.count) { output in
            for byte in data { output.append(byte &- first < 26 ? byte ^ 0x20 : byte) }
        }
    }

    func append(_ data: [UInt8], _ start: Int, _ end: Int, to output: inout [UInt8]) {
        let first = self == .lower ? UInt8(ascii: "A") : UInt8(ascii: "a")
        var index = start
        while index < end {
            let byte = data[index]
            if byte < 0x80 {
                output.append(byte &- first < 26 ? byte ^ 0x20 : byte)
                index &+= 1
                continue
            }
            let (scalar, next) = Text.scalar(data, index, end: end)
            Text.append(mapping(scalar), to: &output)
            index = next
        }
    }

    func mapping(_ scalar: UInt32) -> UInt32 {
        let table = self == .lower ? Self.lowerTable : Self.upperTable
        return scalar < UInt32(table.count) ? table[Int(scalar)] : computed(scalar)
    }

    /// The simple mapping out of Swift's full one: where that is several code points, the simple
    /// one is the title case (Greek with iota subscript) or the code point itself.
    private func computed(_ value: UInt32) -> UInt32 {
        guard let scalar = Unicode.Scalar(value) else { return value }
        if value == 0x130, self == .lower { return 0x69 }
        let properties = scalar.properties
        let full = self == .lower ? properties.lowercaseMapping : properties.uppercaseMapping
        if let only = Self.only(full) { return only }
        return self == .upper ? Self.only(properties.titlecaseMapping) ?? value : value
    }

    private static func only(_ text: String) -> UInt32? {
        let scalars = text.unicodeScalars
        guard let first = scalars.first, scalars.count == 1 else { return nil }
        return first.value
    }

    private static let lowerTable = (0..<UInt32(0x1_0000)).map(TextCase.lower.computed)
    private static let upperTable = (0..<UInt32(0x1_0000)).map(TextCase.upper.computed)

    /// Each word's first letter in upper case, the rest in lower; words are letters and digits.
    static func capitalized(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        var output = TextOutput(rowCount: call.rowCount, capacity: input.data.count)
        for row in 0..<call.rowCount {
            let range = input.ranges[row]
            var index = range.lowerBound
            var isInside = false
            while index < range.upperBound {
                let (scalar, next) = Text.scalar(input.data, index, end: range.upperBound)
                Text.append((isInside ? lower : upper).mapping(scalar), to: &output.data)
                isInside = isWordPart(scalar)
                index = next
            }
            output.endRow(row, &errors, in: call)
        }
        return output.column(.text)
    }

    private static func isWordPart(_ value: UInt32) -> Bool {
        if value < 0x80 {
            return value &- 48 <= 9 || (value | 0x20) &- 97 <= 25
        }
        guard let properties = Unicode.Scalar(value)?.properties else { return false }
        return properties.isAlphabetic || properties.numericType == .decimal
    }
}
