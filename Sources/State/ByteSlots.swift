// Byte strings by number, in one buffer: keys, rows and values of state without an allocation each.

/// Slots of bytes. A changed or freed slot leaves a hole; when holes are more than half of the
/// buffer it is compacted, so an operation costs O(its bytes) amortized.
public struct ByteSlots: Sendable {
    private var starts: [Int] = []
    private var lengths: [Int32] = []
    private var buffer: [UInt8] = []
    private var live = 0

    private static let compactionFloor = 4096

    public init() {}

    public var byteCount: Int { live }

    /// Sets the bytes of a slot, which may be new; slots below it come to be, empty.
    public mutating func set(_ slot: Int, _ bytes: some Collection<UInt8>) {
        while starts.count <= slot {
            starts.append(0)
            lengths.append(0)
        }
        let length = bytes.count
        live += length - Int(lengths[slot])
        if length > Int(lengths[slot]) {
            lengths[slot] = 0
            compactIfWasteful()
            starts[slot] = buffer.count
            buffer.append(contentsOf: bytes)
        } else {
            var position = starts[slot]
            for byte in bytes {
                buffer[position] = byte
                position += 1
            }
        }
        lengths[slot] = Int32(length)
    }

    public subscript(slot: Int) -> ArraySlice<UInt8> {
        guard slot < starts.count else { return [] }
        return buffer[starts[slot]..<(starts[slot] + Int(lengths[slot]))]
    }

    /// Whether a slot holds these bytes. Complexity: O(length), no retain.
    @inline(__always)
    func equals(_ slot: Int, _ bytes: [UInt8], _ start: Int, _ count: Int) -> Bool {
        guard Int(lengths[slot]) == count else { return false }
        let own = starts[slot]
        for index in 0..<count where buffer[own + index] != bytes[start + index] { return false }
        return true
    }

    public mutating func clear(_ slot: Int) {
        guard slot < starts.count else { return }
        live -= Int(lengths[slot])
        lengths[slot] = 0
    }

    private mutating func compactIfWasteful() {
        guard buffer.count > Self.compactionFloor, live < buffer.count / 2 else { return }
        var compacted: [UInt8] = []
        compacted.reserveCapacity(buffer.count / 2)
        for slot in starts.indices where lengths[slot] > 0 {
            let start = starts[slot]
            starts[slot] = compacted.count
            compacted.append(contentsOf: buffer[start..<(start + Int(lengths[slot]))])
        }
        buffer = compacted
    }
}
