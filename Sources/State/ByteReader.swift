// Reading state bytes back through a checked cursor: a damaged store gives an error, never a trap.

public import Contracts

/// A cursor over stored bytes. Integers are little-endian with their length in front.
public struct ByteReader {
    public let bytes: [UInt8]
    public private(set) var position: Int
    public let end: Int

    public init(_ bytes: [UInt8]) {
        self.bytes = bytes
        position = 0
        end = bytes.count
    }

    public init(_ slice: ArraySlice<UInt8>) { self.init(Array(slice)) }

    public var isAtEnd: Bool { position >= end }
    public var rest: ArraySlice<UInt8> { bytes[position..<end] }

    public mutating func byte() throws(Failure) -> UInt8 {
        guard position < end else { throw Self.damaged("ends early") }
        position += 1
        return bytes[position - 1]
    }

    /// The next `count` bytes, and moves behind them.
    public mutating func take(_ count: Int) throws(Failure) -> ArraySlice<UInt8> {
        guard count >= 0, count <= end - position else { throw Self.damaged("ends early") }
        position += count
        return bytes[(position - count)..<position]
    }

    /// An unsigned integer of `width` ≤ 8 bytes.
    public mutating func word(width: Int) throws(Failure) -> UInt64 {
        var word: UInt64 = 0
        for (index, byte) in try take(width).enumerated() { word |= UInt64(byte) << (8 * index) }
        return word
    }

    /// What `appendSigned` wrote.
    public mutating func signed() throws(Failure) -> Int64 {
        let width = Int(try byte())
        guard width <= 8 else { throw Self.damaged("has an integer of \(width) bytes") }
        return unzigzag(try word(width: width))
    }

    /// What `appendVarint` wrote.
    public mutating func varint() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while shift < 64 {
            let next = try byte()
            value |= UInt64(next & 0x7F) << shift
            if next < 0x80 { return value }
            shift += 7
        }
        throw Self.damaged("has an endless length")
    }

    /// What `appendBlock` wrote.
    public mutating func block() throws(Failure) -> ArraySlice<UInt8> {
        let count = try varint()
        guard count <= UInt64(end - position) else { throw Self.damaged("ends early") }
        return try take(Int(count))
    }

    /// What `appendDouble` wrote.
    public mutating func double() throws(Failure) -> Double {
        Double(bitPattern: try word(width: 8))
    }

    /// What `appendInt128` wrote.
    public mutating func int128() throws(Failure) -> Int128 {
        let low = UInt128(try word(width: 8))
        return Int128(bitPattern: low | UInt128(try word(width: 8)) << 64)
    }

    public static func damaged(_ what: String) -> Failure {
        Failure(
            .failed, "state.damaged", "a stored state entry \(what)",
            hint: "restore the state directory from a backup, or rewind to an older checkpoint")
    }
}

@inlinable
func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

@inlinable
func unzigzag(_ word: UInt64) -> Int64 {
    Int64(bitPattern: word >> 1) ^ -Int64(bitPattern: word & 1)
}

extension [UInt8] {
    /// One byte of width, then the zigzag bytes: small numbers are short.
    public mutating func appendSigned(_ value: Int64) {
        let word = zigzag(value)
        let width = (71 - word.leadingZeroBitCount) / 8
        append(UInt8(width))
        for index in 0..<width { append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(index)))) }
    }

    public mutating func appendVarint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        append(UInt8(rest))
    }

    /// A length and the bytes.
    public mutating func appendBlock(_ bytes: some Collection<UInt8>) {
        appendVarint(UInt64(bytes.count))
        append(contentsOf: bytes)
    }

    public mutating func appendWord(_ word: UInt64) {
        for index in 0..<8 { append(UInt8(truncatingIfNeeded: word >> (8 * UInt64(index)))) }
    }

    public mutating func appendDouble(_ value: Double) { appendWord(value.bitPattern) }

    public mutating func appendInt128(_ value: Int128) {
        let bits = UInt128(bitPattern: value)
        appendWord(UInt64(truncatingIfNeeded: bits))
        appendWord(UInt64(truncatingIfNeeded: bits >> 64))
    }

    /// Eight bytes big-endian with the sign flipped: sorts as the number does.
    public mutating func appendOrdered(_ value: Int64) {
        let word = UInt64(bitPattern: value) ^ (1 << 63)
        for index in 0..<8 { append(UInt8(truncatingIfNeeded: word >> (56 - 8 * UInt64(index)))) }
    }
}

extension ByteReader {
    /// What `appendOrdered` wrote.
    public mutating func ordered() throws(Failure) -> Int64 {
        var word: UInt64 = 0
        for byte in try take(8) { word = word << 8 | UInt64(byte) }
        return Int64(bitPattern: word ^ (1 << 63))
    }
}
