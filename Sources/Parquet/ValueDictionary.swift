// Dictionaries of a column chunk: value → index, by open addressing over plain arrays.

import Columns

/// Values of 32 or 64 bits, by their bits: NaNs and zeros of other bits are other entries.
struct WordDictionary {
    private(set) var values: [UInt64] = []
    private var slots: [Int32] = Array(repeating: -1, count: 1 << 10)

    /// Appends the index of each value, entering new ones.
    mutating func append(_ words: ArraySlice<UInt64>, to indices: inout [UInt32]) {
        indices.reserveCapacity(indices.count + words.count)
        for word in words {
            if values.count * 2 >= slots.count { grow() }
            let mask = slots.count - 1
            var slot = Self.hash(word) & mask
            while true {
                let entry = slots[slot]
                if entry < 0 {
                    slots[slot] = Int32(truncatingIfNeeded: values.count)
                    indices.append(UInt32(truncatingIfNeeded: values.count))
                    values.append(word)
                    break
                }
                if values[Int(entry)] == word {
                    indices.append(UInt32(truncatingIfNeeded: entry))
                    break
                }
                slot = (slot + 1) & mask
            }
        }
    }

    private static func hash(_ word: UInt64) -> Int {
        Int(truncatingIfNeeded: (word &* 0x9e37_79b9_7f4a_7c15) >> 29)
    }

    private mutating func grow() {
        let count = slots.count * 2
        slots = Array(repeating: -1, count: count)
        for (index, value) in values.enumerated() {
            var slot = Self.hash(value) & (count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (count - 1) }
            slots[slot] = Int32(truncatingIfNeeded: index)
        }
    }
}

/// Text and bytes.
struct ByteDictionary {
    private(set) var ranges: [ValueRange] = []
    private(set) var data: [UInt8] = []
    private var hashes: [UInt64] = []
    private var slots: [Int32] = Array(repeating: -1, count: 1 << 10)

    /// PLAIN size of the entries.
    var byteCount: Int { data.count + ranges.count * 4 }

    /// The index of one value, entering it if it is new.
    mutating func index(of source: [UInt8], _ range: Range<Int>) -> UInt32 {
        let hash = Self.hash(source, range)
        let mask = slots.count - 1
        var slot = Int(truncatingIfNeeded: hash >> 29) & mask
        while true {
            let entry = Int(slots[slot])
            if entry < 0 { break }
            if hashes[entry] == hash, equals(ranges[entry], source, range) {
                return UInt32(truncatingIfNeeded: entry)
            }
            slot = (slot + 1) & mask
        }
        let index = ranges.count
        slots[slot] = Int32(truncatingIfNeeded: index)
        hashes.append(hash)
        ranges.append(ValueRange(start: data.count, length: range.count))
        data.append(contentsOf: source[range])
        if ranges.count * 2 >= slots.count { grow() }
        return UInt32(truncatingIfNeeded: index)
    }

    private func equals(_ entry: ValueRange, _ source: [UInt8], _ range: Range<Int>) -> Bool {
        guard entry.count == range.count else { return false }
        var left = entry.lowerBound
        for right in range {
            if data[left] != source[right] { return false }
            left += 1
        }
        return true
    }

    /// Multiply and rotate over 8 bytes a step; ends with a mix, so that high bits are good.
    private static func hash(_ source: [UInt8], _ range: Range<Int>) -> UInt64 {
        var hash = UInt64(truncatingIfNeeded: range.count) &* 0x9e37_79b9_7f4a_7c15
        var position = range.lowerBound
        while range.upperBound - position >= 8 {
            hash = (hash ^ loadLittleEndian64(source, at: position)) &* 0xff51_afd7_ed55_8ccd
            hash ^= hash >> 32
            position += 8
        }
        while position < range.upperBound {
            hash = (hash ^ UInt64(source[position])) &* 0x100_0000_01b3
            position += 1
        }
        hash ^= hash >> 29
        return hash &* 0xc4ce_b9fe_1a85_ec53
    }

    private mutating func grow() {
        let count = slots.count * 2
        slots = Array(repeating: -1, count: count)
        for (index, hash) in hashes.enumerated() {
            var slot = Int(truncatingIfNeeded: hash >> 29) & (count - 1)
            while slots[slot] >= 0 { slot = (slot + 1) & (count - 1) }
            slots[slot] = Int32(truncatingIfNeeded: index)
        }
    }
}
