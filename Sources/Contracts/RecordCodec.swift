// Bytes of our own stored records: little, explicit, checked when read back.

/// Appends values to a byte buffer.
public struct RecordWriter: Sendable {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// LEB128.
    public mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Zigzag LEB128.
    public mutating func signed(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// Eight bytes, big-endian: sorts as the number does.
    public mutating func fixed64(_ value: UInt64) {
        for shift in stride(from: 56, through: 0, by: -8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(shift)))
        }
    }

    public mutating func fixed16(_ value: UInt16) {
        bytes.append(UInt8(truncatingIfNeeded: value >> 8))
        bytes.append(UInt8(truncatingIfNeeded: value))
    }

    public mutating func byte(_ value: UInt8) { bytes.append(value) }
    public mutating func raw(_ value: some Collection<UInt8>) { bytes.append(contentsOf: value) }

    /// Length, then the bytes.
    public mutating func counted(_ value: some Collection<UInt8>) {
        varint(UInt64(value.count))
        bytes.append(contentsOf: value)
    }

    public mutating func string(_ value: String) { counted(value.utf8) }

    /// A byte that says whether there is a value, then the counted bytes.
    public mutating func optional(_ value: [UInt8]?) {
        byte(value == nil ? 0 : 1)
        if let value { counted(value) }
    }
}

/// Reads what `RecordWriter` wrote. Stored bytes may be damaged: every read is checked and throws a
/// `Failure` that names what was being read.
public struct RecordReader: Sendable {
    private let bytes: [UInt8]
    private var position = 0
    private let subject: String

    /// `subject` names the record in messages: "intent of sink x".
    public init(_ bytes: [UInt8], subject: String) {
        self.bytes = bytes
        self.subject = subject
    }

    public var isAtEnd: Bool { position == bytes.count }

    private func damaged() -> Failure {
        Failure(
            .failed, "state.damaged", "the stored \(subject) is damaged at byte \(position)",
            hint: "restore the state directory from a backup, or start with a new one")
    }

    public mutating func byte() throws(Failure) -> UInt8 {
        guard position < bytes.count else { throw damaged() }
        defer { position += 1 }
        return bytes[position]
    }

    public mutating func varint() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        for shift in stride(from: 0, to: 64, by: 7) {
            let next = try byte()
            value |= UInt64(next & 0x7f) << UInt64(shift)
            if next < 0x80 { return value }
        }
        throw damaged()
    }

    public mutating func signed() throws(Failure) -> Int64 {
        let value = try varint()
        return Int64(bitPattern: value >> 1) ^ -Int64(bitPattern: value & 1)
    }

    public mutating func fixed64() throws(Failure) -> UInt64 {
        var value: UInt64 = 0
        for _ in 0..<8 { value = try value << 8 | UInt64(byte()) }
        return value
    }

    public mutating func counted() throws(Failure) -> [UInt8] {
        let count = try varint()
        guard count <= UInt64(bytes.count - position) else { throw damaged() }
        defer { position += Int(count) }
        return Array(bytes[position..<position + Int(count)])
    }

    public mutating func optional() throws(Failure) -> [UInt8]? {
        try byte() == 1 ? try counted() : nil
    }

    public mutating func string() throws(Failure) -> String {
        String(decoding: try counted(), as: UTF8.self)
    }
}
