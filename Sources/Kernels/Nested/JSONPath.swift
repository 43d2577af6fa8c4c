// Parts of a JSON text: `->`, `#>` and their like walk the text and cut ranges out of it.
//
// The type json holds valid text only (a cast and the decoders see to that), so this scanner looks
// for ends and names; on text that is broken all the same it finds nothing, and never leaves the
// row.

import Columns
import Contracts
import Types

/// One step of a path.
enum JSONStep {
    case name([UInt8])
    /// From 0; from the end if negative.
    case index(Int64)
}

/// A cursor over one JSON text.
struct JSONScanner {
    private let data: [UInt8]
    private let end: Int
    private(set) var index: Int

    init(_ data: [UInt8], _ range: ValueRange) {
        self.data = data
        index = range.lowerBound
        end = range.upperBound
        skipSpace()
    }

    /// The byte that begins the value here.
    var first: UInt8? { index < end ? data[index] : nil }

    private mutating func skipSpace() {
        while index < end,
            data[index] == 32 || data[index] == 9 || data[index] == 10
                || data[index] == 13
        {
            index += 1
        }
    }

    /// The value that a step leads to; nil if there is none.
    mutating func follow(_ step: JSONStep) -> ValueRange? {
        switch step {
        case .name(let name): return first == UInt8(ascii: "{") ? field(name) : nil
        case .index(let number):
            guard first == UInt8(ascii: "[") else { return nil }
            guard number < 0 else { return element(number) }
            var copy = self
            guard let count = copy.elementCount() else { return nil }
            let wanted = count + number
            return wanted < 0 ? nil : element(wanted)
        }
    }

    /// The last of the fields called `name`, as PostgreSQL's json takes it.
    private mutating func field(_ name: [UInt8]) -> ValueRange? {
        var found: ValueRange?
        index += 1
        while true {
            skipSpace()
            guard first == UInt8(ascii: "\"") else { return found }
            let start = index
            guard skipValue() else { return found }
            let isWanted = isString(start, index, name)
            skipSpace()
            guard first == UInt8(ascii: ":") else { return found }
            index += 1
            guard let value = value() else { return found }
            if isWanted { found = value }
            guard first == UInt8(ascii: ",") else { return found }
            index += 1
        }
    }

    private mutating func element(_ number: Int64) -> ValueRange? {
        index += 1
        var rest = number
        skipSpace()
        if first == UInt8(ascii: "]") { return nil }
        while true {
            guard let value = value() else { return nil }
            if rest == 0 { return value }
            rest -= 1
            guard first == UInt8(ascii: ",") else { return nil }
            index += 1
        }
    }

    /// The number of elements; nil if this is no array.
    mutating func elementCount() -> Int64? {
        guard first == UInt8(ascii: "[") else { return nil }
        index += 1
        skipSpace()
        if first == UInt8(ascii: "]") { return 0 }
        var count: Int64 = 0
        while value() != nil {
            count += 1
            guard first == UInt8(ascii: ",") else { break }
            index += 1
        }
        return count
    }

    /// The value here, without blanks around; the cursor stands behind it and its blanks.
    mutating func value() -> ValueRange? {
        skipSpace()
        let start = index
        guard skipValue() else { return nil }
        let range = ValueRange(start: start, length: index - start)
        skipSpace()
        return range
    }

    /// Goes behind the value here: containers by counting brackets outside strings.
    private mutating func skipValue() -> Bool {
        guard let byte = first else { return false }
        switch byte {
        case UInt8(ascii: "\""): return skipString()
        case UInt8(ascii: "{"), UInt8(ascii: "["):
            var depth = 0
            while index < end {
                switch data[index] {
                case UInt8(ascii: "\""):
                    guard skipString() else { return false }
                    continue
                case UInt8(ascii: "{"), UInt8(ascii: "["): depth += 1
                case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
                default: break
                }
                index += 1
                if depth == 0 { return true }
            }
            return false
        default:
            let start = index
            while index < end, !isDelimiter(data[index]) { index += 1 }
            return index > start
        }
    }

    private func isDelimiter(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: ","), UInt8(ascii: "]"), UInt8(ascii: "}"), UInt8(ascii: ":"), 32, 9, 10,
            13:
            true
        default: false
        }
    }

    private mutating func skipString() -> Bool {
        index += 1
        while index < end {
            switch data[index] {
            case UInt8(ascii: "\\"): index += 2
            case UInt8(ascii: "\""):
                index += 1
                return true
            default: index += 1
            }
        }
        index = min(index, end)
        return false
    }

    /// Whether the string literal `data[start..<end]` spells `name`.
    private func isString(_ start: Int, _ end: Int, _ name: [UInt8]) -> Bool {
        let body = data[start + 1..<max(start + 1, end - 1)]
        if !body.contains(UInt8(ascii: "\\")) { return body.elementsEqual(name) }
        var spelled: [UInt8] = []
        JSONText.appendUnescaped(body, to: &spelled)
        return spelled == name
    }
}

enum JSONText {
    /// The text that a string literal's inside stands for. A lone surrogate becomes U+FFFD.
    static func appendUnescaped(_ body: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var index = body.startIndex
        while index < body.endIndex {
            let byte = body[index]
            guard byte == UInt8(ascii: "\\"), index + 1 < body.endIndex else {
                output.append(byte)
                index += 1
                continue
            }
            let code = body[index + 1]
            index += 2
            switch code {
            case UInt8(ascii: "b"): output.append(8)
            case UInt8(ascii: "f"): output.append(12)
            case UInt8(ascii: "n"): output.append(10)
            case UInt8(ascii: "r"): output.append(13)
            case UInt8(ascii: "t"): output.append(9)
            case UInt8(ascii: "u"):
                Text.append(unicode(body, &index), to: &output)
            default: output.append(code)
            }
        }
    }

    /// The code point of `\uXXXX` (a pair for two) whose digits begin at `index`.
    private static func unicode(_ body: ArraySlice<UInt8>, _ index: inout Int) -> UInt32 {
        guard let first = hexadecimal(body, index) else { return 0xFFFD }
        index += 4
        guard first & 0xF800 == 0xD800 else { return first }
        guard first < 0xDC00, index + 6 <= body.endIndex, body[index] == UInt8(ascii: "\\"),
            body[index + 1] == UInt8(ascii: "u"), let second = hexadecimal(body, index + 2),
            second & 0xFC00 == 0xDC00
        else { return 0xFFFD }
        index += 6
        return 0x10000 + (first & 0x3FF) << 10 + second & 0x3FF
    }

    private static func hexadecimal(_ body: ArraySlice<UInt8>, _ index: Int) -> UInt32? {
        guard index + 4 <= body.endIndex else { return nil }
        var value: UInt32 = 0
        for position in index..<index + 4 {
            guard let digit = UUIDText.hexadecimalValue(body[position]) else { return nil }
            value = value << 4 | UInt32(digit)
        }
        return value
    }
}

/// Kernels of JSON.
enum JSONFunctions {
    /// `json -> name`, `json -> index` (as json: a part of the same buffer), `->>` (as text).
    static func get(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        let byIndex = call.arguments[1].type != .text
        let indexes = byIndex ? call.int64s(1) : []
        let names = byIndex ? nil : call.bytes(1)
        let constant = call.constantBytes(1).map { JSONStep.name($0) }
        return parts(call) { row in
            var scanner = JSONScanner(input.data, input.ranges[row])
            if let names { return scanner.follow(constant ?? .name(Array(names[row]))) }
            return scanner.follow(.index(indexes[row]))
        }
    }

    /// `json #> path`, `#>>`: each step is a name, or in an array an index.
    static func path(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        let list = call.list(1)
        let element = list.element
        guard case .bytes(let steps) = element.values else {
            return .nulls(call.type, count: call.rowCount)
        }
        return parts(call) { row in
            var range: ValueRange? = JSONScanner.whole(input.data, input.ranges[row])
            let path = list.ranges[row]
            for position in path.lowerBound..<path.upperBound {
                guard element.isValid(position), let found = range else { return nil }
                var scanner = JSONScanner(input.data, found)
                let text = Array(steps[position])
                if scanner.first == UInt8(ascii: "[") {
                    guard let number = NumberText.parseInteger(text.span) else { return nil }
                    range = scanner.follow(.index(number))
                } else {
                    range = scanner.follow(.name(text))
                }
            }
            return range
        }
    }

    /// The found ranges as json, or as the text that they stand for.
    private static func parts(_ call: KernelCall, _ find: (Int) -> ValueRange?) -> Column {
        let input = call.bytes(0)
        var validity = Array(repeating: false, count: call.rowCount)
        var ranges = Array(repeating: ValueRange(start: 0, length: 0), count: call.rowCount)
        let isText = call.type == .text
        var unescaped: [UInt8] = []
        for row in 0..<call.rowCount where call.isWanted(row) {
            guard let found = find(row) else { continue }
            ranges[row] = found
            validity[row] = true
            guard isText, found.count > 0 else { continue }
            let bytes = input.data[found.lowerBound..<found.upperBound]
            if bytes.elementsEqual("null".utf8) {
                validity[row] = false
            } else if bytes.first == UInt8(ascii: "\"") {
                let body = bytes.dropFirst().dropLast()
                ranges[row] = ValueRange(start: body.startIndex, length: body.count)
                guard body.contains(UInt8(ascii: "\\")) else { continue }
                let start = unescaped.count
                JSONText.appendUnescaped(body, to: &unescaped)
                ranges[row] = ValueRange(
                    start: input.data.count + start, length: unescaped.count - start)
            }
        }
        return Column(
            call.type,
            .bytes(
                ByteColumn(
                    ranges: ranges, data: unescaped.isEmpty ? input.data : input.data + unescaped)),
            validity: validity)
    }

    static func arrayLength(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        let values = (0..<call.rowCount).map { row -> Int64 in
            guard call.isWanted(row) else { return 0 }
            var scanner = JSONScanner(input.data, input.ranges[row])
            guard let count = scanner.elementCount() else {
                errors.note(
                    row, .invalidArgument, "cannot get the array length of what is no array",
                    in: call)
                return 0
            }
            return count
        }
        return Column(.integer, .int64(values))
    }

    static func typeName(_ call: KernelCall, _ errors: inout RowErrors) -> Column {
        let input = call.bytes(0)
        let names = ["object", "array", "string", "number", "boolean", "null"]
        var data: [UInt8] = []
        let places = names.map { name in
            data.append(contentsOf: name.utf8)
            return ValueRange(start: data.count - name.utf8.count, length: name.utf8.count)
        }
        let ranges = input.ranges.map { range in
            switch JSONScanner(input.data, range).first {
            case UInt8(ascii: "{"): places[0]
            case UInt8(ascii: "["): places[1]
            case UInt8(ascii: "\""): places[2]
            case UInt8(ascii: "t"), UInt8(ascii: "f"): places[4]
            case UInt8(ascii: "n"): places[5]
            default: places[3]
            }
        }
        return Column(.text, .bytes(ByteColumn(ranges: ranges, data: data)))
    }
}

extension JSONScanner {
    /// A text's value without blanks around.
    fileprivate static func whole(_ data: [UInt8], _ range: ValueRange) -> ValueRange? {
        var scanner = JSONScanner(data, range)
        return scanner.value()
    }
}
