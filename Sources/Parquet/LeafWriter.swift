// One column chunk being written: values are encoded as they come, pages closed as they fill.
//
// A chunk starts with a dictionary. If its first page shows that the dictionary does not pay
// (entries plus indices are no smaller than PLAIN), or it later grows past its limit, the chunk
// goes on in PLAIN; pages written before stay as they are (Encodings.md "Dictionary Encoding").

import Columns
import Contracts
import Types

/// Writes the pages of one leaf for one row group after the other.
final class LeafWriter {
    let leaf: Leaf
    private let options: ParquetWriteOptions
    private let compressor: PageCompressor

    // The page at hand.
    private var definition: [UInt8] = []
    private var repetition: [UInt8] = []
    private var indices: [UInt32] = []
    private var plain: [UInt8] = []
    private var bools: [Bool] = []
    private var entryCount = 0
    private var rowCount = 0
    /// What the page's values would take in PLAIN.
    private var plainBytes = 0

    // The chunk at hand.
    private var usesDictionary: Bool
    private var hasDictionaryPage = false
    private var hasPlainPage = false
    private var words = WordDictionary()
    private var texts = ByteDictionary()
    private var pages: [UInt8] = []
    private var uncompressedPageBytes = 0
    private var chunkValues = 0
    private var statistics = LeafStatistics()
    /// Over all row groups of the file.
    private(set) var fileStatistics = LeafStatistics()

    init(_ leaf: Leaf, _ options: ParquetWriteOptions, _ compressor: PageCompressor) {
        self.leaf = leaf
        self.options = options
        self.compressor = compressor
        usesDictionary = Self.canUseDictionary(leaf)
    }

    private static func canUseDictionary(_ leaf: Leaf) -> Bool {
        leaf.storage != .boolean && leaf.storage != .fixed
    }

    /// Bytes that the chunk holds in memory, about.
    var byteCount: Int {
        pages.count + plainBytes + definition.count / 8 + words.values.count * 8
            + texts.byteCount
    }

    // MARK: Values in

    func append(_ entries: LeafEntries) throws(Failure) {
        switch entries.column.values {
        case .bool(let values):
            let dense = gathered(values, entries.rows)
            statistics.note(dense)
            try feed(entries, dense) { writer, values in
                writer.bools.append(contentsOf: values)
                writer.plainBytes += (values.count + 7) / 8
            }
        case .int64(let values):
            let dense = gathered(values, entries.rows)
            statistics.note(dense)
            try feedWords(entries, dense.map { UInt64(bitPattern: $0) })
        case .float64(let values):
            let dense = gathered(values, entries.rows)
            statistics.note(dense)
            let isFloat = leaf.storage == .float
            try feedWords(
                entries,
                isFloat
                    ? dense.map { UInt64(Float($0).bitPattern) } : dense.map { $0.bitPattern })
        case .int128(let values):
            try feedWide(entries, gathered(values, entries.rows))
        case .bytes(let bytes):
            try feedBytes(entries, gathered(bytes.ranges, entries.rows), bytes.data)
        case .null: try feedWords(entries, [])
        case .interval, .list, .row:
            throw unsupported("a column of type \(entries.column.type)")
        }
    }

    private func feedWords(_ entries: LeafEntries, _ words: [UInt64]) throws(Failure) {
        let width = leaf.storage == .int32 || leaf.storage == .float ? 4 : 8
        try feed(entries, words) { writer, values in
            writer.plainBytes += values.count * width
            if writer.usesDictionary {
                writer.words.append(values, to: &writer.indices)
            } else if width == 8 {
                writer.plain.append(memoryOf: values)
            } else {
                for value in values {
                    writer.plain.append(littleEndian: UInt32(truncatingIfNeeded: value))
                }
            }
        }
    }

    private func feedWide(_ entries: LeafEntries, _ values: [Int128]) throws(Failure) {
        if leaf.storage == .byteArray {
            var data: [UInt8] = []
            data.reserveCapacity(values.count * 36)
            for value in values { data.append(uuidText: value) }
            let ranges = values.indices.map { ValueRange(start: $0 * 36, length: 36) }
            return try feedBytes(entries, ranges, data)
        }
        statistics.note(values)
        guard leaf.storage == .fixed else {
            return try feedWords(entries, values.map { UInt64(truncatingIfNeeded: $0) })
        }
        let length = leaf.typeLength
        let isUUID = leaf.annotation == .uuid
        try feed(entries, values) { writer, values in
            writer.plainBytes += values.count * length
            for value in values {
                writer.plain.append(fixed: value, count: length, isUUID: isUUID)
            }
        }
    }

    private func feedBytes(
        _ entries: LeafEntries, _ ranges: [ValueRange], _ data: [UInt8]
    ) throws(Failure) {
        try feed(entries, ranges) { writer, ranges in
            for range in ranges {
                let bytes = range.lowerBound..<range.upperBound
                writer.plainBytes += bytes.count + 4
                if writer.usesDictionary {
                    let count = writer.texts.ranges.count
                    let index = writer.texts.index(of: data, bytes)
                    writer.indices.append(index)
                    if writer.texts.ranges.count > count { writer.statistics.note(data, bytes) }
                } else {
                    writer.statistics.note(data, bytes)
                    writer.plain.append(littleEndian: UInt32(truncatingIfNeeded: bytes.count))
                    writer.plain.append(contentsOf: data[bytes])
                }
            }
        }
    }

    /// Passes entries on in steps, so that pages end near their limits; a page ends between rows.
    private func feed<Value>(
        _ entries: LeafEntries, _ values: [Value],
        _ append: (LeafWriter, ArraySlice<Value>) -> Void
    ) throws(Failure) {
        var entry = 0
        var value = 0
        while entry < entries.entryCount {
            let rows = min(1_024, options.pageRows - rowCount)
            let (end, taken) = step(entries, from: entry, rows: rows)
            var live = end - entry
            if leaf.definition > 0 {
                let highest = UInt8(leaf.definition)
                live = 0
                for level in entries.definition[entry..<end] where level == highest { live += 1 }
                definition.append(contentsOf: entries.definition[entry..<end])
            }
            if leaf.repetition > 0 {
                repetition.append(contentsOf: entries.repetition[entry..<end])
            }
            append(self, values[value..<(value + live)])
            statistics.nullCount += end - entry - live
            entryCount += end - entry
            rowCount += taken
            entry = end
            value += live
            if rowCount >= options.pageRows || plainBytes >= options.pageBytes { try closePage() }
            if usesDictionary, dictionaryBytes > options.dictionaryBytes {
                try closePage()
                usesDictionary = false
            }
        }
    }

    /// The entry behind the next `rows` rows.
    private func step(
        _ entries: LeafEntries, from start: Int, rows: Int
    ) -> (end: Int, rows: Int) {
        guard leaf.repetition > 0 else {
            let end = min(entries.entryCount, start + rows)
            return (end, end - start)
        }
        var end = start
        var taken = 0
        while end < entries.entryCount {
            if entries.repetition[end] == 0 {
                if taken == rows { break }
                taken += 1
            }
            end += 1
        }
        return (end, taken)
    }

    // MARK: Pages

    private var dictionaryBytes: Int {
        let width = leaf.storage == .int32 || leaf.storage == .float ? 4 : 8
        return words.values.count * width + texts.byteCount
    }

    private var dictionaryCount: Int { words.values.count + texts.ranges.count }

    private func closePage() throws(Failure) {
        guard entryCount > 0 else { return }
        // One entry takes a bit too, as parquet-cpp writes it: a width of 0 is rarely tested.
        let width = max(1, bitWidth(of: max(0, dictionaryCount - 1)))
        if usesDictionary, !hasDictionaryPage,
            dictionaryBytes + indices.count * width / 8 >= plainBytes, !indices.isEmpty
        {
            abandonDictionary()
        }
        let isDictionaryPage = usesDictionary && !indices.isEmpty
        var page: [UInt8] = []
        page.reserveCapacity(plainBytes + entryCount / 4 + 64)
        appendLevels(repetition, leaf.repetition, to: &page)
        appendLevels(definition, leaf.definition, to: &page)
        if isDictionaryPage {
            page.append(UInt8(width))
            appendHybridRuns(indices[...], bitWidth: width, to: &page)
            hasDictionaryPage = true
        } else {
            if leaf.storage == .boolean { appendPackedBools(to: &page) } else { page += plain }
            hasPlainPage = true
        }
        var header = PageHeader(kind: .data)
        header.valueCount = entryCount
        header.encoding = isDictionaryPage ? .runLengthDictionary : .plain
        try write(page, header, to: &pages)
        chunkValues += entryCount
        definition.removeAll(keepingCapacity: true)
        repetition.removeAll(keepingCapacity: true)
        indices.removeAll(keepingCapacity: true)
        plain.removeAll(keepingCapacity: true)
        bools.removeAll(keepingCapacity: true)
        entryCount = 0
        rowCount = 0
        plainBytes = 0
    }

    /// Turns the page's indices back into values and gives the dictionary up for this chunk.
    private func abandonDictionary() {
        usesDictionary = false
        let isBytes = leaf.storage == .byteArray
        let isWide = leaf.storage == .int64 || leaf.storage == .double
        for index in indices {
            if isBytes {
                let range = texts.ranges[Int(index)]
                plain.append(littleEndian: range.length)
                plain.append(contentsOf: texts.data[range.lowerBound..<range.upperBound])
                continue
            }
            let word = words.values[Int(index)]
            plain.append(littleEndian: UInt32(truncatingIfNeeded: word))
            if isWide { plain.append(littleEndian: UInt32(truncatingIfNeeded: word >> 32)) }
        }
        indices.removeAll(keepingCapacity: true)
        words = WordDictionary()
        texts = ByteDictionary()
    }

    /// V1: the length in front, then runs; nothing where there is only level 0.
    private func appendLevels(_ levels: [UInt8], _ highest: Int, to page: inout [UInt8]) {
        guard highest > 0 else { return }
        let start = page.count
        page.append(littleEndian: 0)
        appendHybridRuns(levels[...], bitWidth: bitWidth(of: highest), to: &page)
        let length = UInt32(truncatingIfNeeded: page.count - start - 4)
        for byte in 0..<4 {
            page[start + byte] = UInt8(truncatingIfNeeded: length >> UInt32(byte * 8))
        }
    }

    private func appendPackedBools(to page: inout [UInt8]) {
        var byte: UInt8 = 0
        for (index, value) in bools.enumerated() {
            if value { byte |= 1 << UInt8(index & 7) }
            if index & 7 == 7 {
                page.append(byte)
                byte = 0
            }
        }
        if bools.count & 7 != 0 { page.append(byte) }
    }

    private func write(
        _ page: [UInt8], _ template: PageHeader, to output: inout [UInt8]
    ) throws(Failure) {
        let compressed = try compressor.compress(page)
        guard page.count <= Int(Int32.max), compressed.count <= Int(Int32.max) else {
            throw unsupported("a value of 2 GiB")
        }
        var header = template
        header.uncompressedBytes = page.count
        header.compressedBytes = compressed.count
        header.checksum = checksum(compressed, 0..<compressed.count)
        let bytes = header.encoded()
        output += bytes
        output += compressed
        uncompressedPageBytes += bytes.count + page.count
    }

    // MARK: The chunk out

    /// Ends the chunk: its bytes, to stand at `offset` of the file, and its footer entry. The
    /// writer is ready for the next row group.
    func finishChunk(at offset: Int) throws(Failure) -> (bytes: [UInt8], chunk: ColumnChunk) {
        try closePage()
        var bytes: [UInt8] = []
        var chunk = ColumnChunk()
        if hasDictionaryPage {
            var header = PageHeader(kind: .dictionary)
            header.valueCount = dictionaryCount
            header.encoding = .plain
            try write(plainDictionary(), header, to: &bytes)
            chunk.dictionaryPageOffset = offset
        }
        chunk.dataPageOffset = offset + bytes.count
        bytes += pages
        chunk.type = leaf.storage
        chunk.path = leaf.path
        chunk.codec = options.compression.codecID
        chunk.encodings = [.runLength]
        if hasPlainPage || hasDictionaryPage { chunk.encodings.append(.plain) }
        if hasDictionaryPage { chunk.encodings.append(.runLengthDictionary) }
        chunk.valueCount = chunkValues
        chunk.uncompressedBytes = uncompressedPageBytes
        chunk.compressedBytes = bytes.count
        chunk.statistics = statistics.encoded(leaf)
        fileStatistics.merge(statistics)
        reset()
        return (bytes, chunk)
    }

    private func plainDictionary() -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(dictionaryBytes)
        if leaf.storage == .byteArray {
            for range in texts.ranges {
                bytes.append(littleEndian: range.length)
                bytes.append(contentsOf: texts.data[range.lowerBound..<range.upperBound])
            }
        } else if leaf.storage == .int64 || leaf.storage == .double {
            bytes.append(memoryOf: words.values[...])
        } else {
            for word in words.values {
                bytes.append(littleEndian: UInt32(truncatingIfNeeded: word))
            }
        }
        return bytes
    }

    private func reset() {
        usesDictionary = Self.canUseDictionary(leaf)
        hasDictionaryPage = false
        hasPlainPage = false
        words = WordDictionary()
        texts = ByteDictionary()
        pages = []
        uncompressedPageBytes = 0
        chunkValues = 0
        statistics = LeafStatistics()
    }
}

private func gathered<Value: BitwiseCopyable>(_ values: [Value], _ rows: [Int32]?) -> [Value] {
    guard let rows else { return values }
    return [Value](capacity: rows.count) { output in
        for row in rows { output.append(values[Int(row)]) }
    }
}

extension [UInt8] {
    /// 8-4-4-4-12, lower case (RFC 9562).
    mutating func append(uuidText value: Int128) {
        let bits = UInt128(truncatingIfNeeded: value) ^ UInt128(1) << 127
        var shift = 124
        while shift >= 0 {
            if shift == 92 || shift == 76 || shift == 60 || shift == 44 {
                append(UInt8(ascii: "-"))
            }
            let digit = UInt8(truncatingIfNeeded: bits >> UInt128(shift)) & 15
            append(digit < 10 ? digit + 48 : digit + 87)
            shift -= 4
        }
    }
}
