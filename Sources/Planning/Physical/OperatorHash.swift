// Names of state: 64-bit FNV-1a (Fowler, Noll, Vo; offset basis and prime of their 64-bit variant)
// over UTF-8. Chosen because it is short enough to be written down for ever: a change loses every
// state.

/// A hash that never changes between versions.
struct OperatorHash {
    private(set) var value: UInt64 = 0xcbf2_9ce4_8422_2325

    mutating func combine(_ text: String) {
        for byte in text.utf8 { take(byte) }
        // No text holds this byte, so the ends of texts count.
        take(0xff)
    }

    mutating func combine(_ number: UInt64) {
        for shift in stride(from: 0, to: 64, by: 8) {
            take(UInt8(truncatingIfNeeded: number >> UInt64(shift)))
        }
    }

    private mutating func take(_ byte: UInt8) {
        value = (value ^ UInt64(byte)) &* 0x100_0000_01b3
    }
}
