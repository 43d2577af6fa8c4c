// Walking UTF-8. Text was checked when it was decoded; a broken sequence, which can only be a bug
// elsewhere, is walked without leaving the row.

enum Text {
    @inline(__always)
    static func isContinuation(_ byte: UInt8) -> Bool { byte & 0xC0 == 0x80 }

    /// The length of the sequence that `lead` begins.
    @inline(__always)
    static func sequenceLength(_ lead: UInt8) -> Int {
        lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4
    }

    /// The index behind the code point at `index`.
    @inline(__always)
    static func next(_ data: [UInt8], _ index: Int, end: Int) -> Int {
        min(index &+ sequenceLength(data[index]), end)
    }

    /// The index of the code point before `index`.
    @inline(__always)
    static func previous(_ data: [UInt8], _ index: Int, start: Int) -> Int {
        var position = index &- 1
        while position > start, isContinuation(data[position]) { position &-= 1 }
        return position
    }

    /// Code points of a part.
    @inline(__always)
    static func count(_ data: [UInt8], _ start: Int, _ end: Int) -> Int {
        var count = 0
        for index in start..<end { count &+= isContinuation(data[index]) ? 0 : 1 }
        return count
    }

    /// The index behind `count` code points from `start`, at most `end`.
    @inline(__always)
    static func index(_ data: [UInt8], _ start: Int, _ end: Int, after count: Int) -> Int {
        if count >= end - start { return end }
        var index = start
        var rest = count
        while rest > 0, index < end {
            index = next(data, index, end: end)
            rest &-= 1
        }
        return index
    }

    /// The code point at `index` and the index behind it.
    @inline(__always)
    static func scalar(_ data: [UInt8], _ index: Int, end: Int) -> (value: UInt32, next: Int) {
        let lead = data[index]
        if lead < 0x80 { return (UInt32(lead), index &+ 1) }
        let next = next(data, index, end: end)
        var value = UInt32(lead) & (next &- index == 2 ? 0x1F : next &- index == 3 ? 0x0F : 0x07)
        for position in (index &+ 1)..<next { value = value << 6 | UInt32(data[position] & 0x3F) }
        return (value, next)
    }

    @inline(__always)
    static func append(_ scalar: UInt32, to output: inout [UInt8]) {
        if scalar < 0x80 {
            output.append(UInt8(truncatingIfNeeded: scalar))
        } else if scalar < 0x800 {
            output.append(UInt8(truncatingIfNeeded: 0xC0 | scalar >> 6))
            output.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        } else if scalar < 0x10000 {
            output.append(UInt8(truncatingIfNeeded: 0xE0 | scalar >> 12))
            output.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            output.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        } else {
            output.append(UInt8(truncatingIfNeeded: 0xF0 | scalar >> 18))
            output.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 12 & 0x3F))
            output.append(UInt8(truncatingIfNeeded: 0x80 | scalar >> 6 & 0x3F))
            output.append(UInt8(truncatingIfNeeded: 0x80 | scalar & 0x3F))
        }
    }

    /// Where `pattern[patternStart..<patternEnd]` stands in `data[from..<end]`; an empty pattern
    /// stands at `from`.
    @inline(__always)
    static func find(
        _ pattern: [UInt8], _ patternStart: Int, _ patternEnd: Int, in data: [UInt8], from: Int,
        end: Int
    ) -> Int? {
        let length = patternEnd &- patternStart
        if length == 0 { return from }
        guard length <= end &- from else { return nil }
        let first = pattern[patternStart]
        var index = from
        let last = end &- length
        while index <= last {
            if data[index] == first,
                matches(pattern, patternStart, length, data, index)
            {
                return index
            }
            index &+= 1
        }
        return nil
    }

    @inline(__always)
    static func matches(
        _ pattern: [UInt8], _ patternStart: Int, _ length: Int, _ data: [UInt8], _ index: Int
    ) -> Bool {
        for offset in 0..<length where data[index &+ offset] != pattern[patternStart &+ offset] {
            return false
        }
        return true
    }
}
