// Which keys may stand in the store and not in memory: a Bloom filter that grows with them, so that
// a really new key is mostly known to be new without a read.
//
// Layers double in size, each full at 12 bits a key (four probes: about 1 in 200 keys that are not
// there passes). A key is added only if no layer knows it yet, so a key that comes and goes is
// counted once; nothing is ever taken out.

/// A set of key hashes that errs on one side: what was inserted is always found.
public struct KeyFilter: Sendable {
    private var layers: [Layer] = []

    fileprivate struct Layer: Sendable {
        var words: [UInt64]
        var room: Int
    }

    fileprivate static let firstCapacity = 1024
    fileprivate static let bitsPerKey = 12
    fileprivate static let probes = 4

    public init() {}

    public var byteCount: Int { layers.reduce(0) { $0 + $1.words.count * 8 } }

    public mutating func insert(_ hash: UInt64) {
        if mayContain(hash) { return }
        if layers.last.map({ $0.room == 0 }) ?? true {
            let capacity = KeyFilter.firstCapacity << layers.count
            let words = capacity * KeyFilter.bitsPerKey / 64
            layers.append(Layer(words: Array(repeating: 0, count: words), room: capacity))
        }
        let last = layers.count - 1
        let bitCount = UInt64(layers[last].words.count) * 64
        for probe in 0..<KeyFilter.probes {
            let bit = KeyFilter.bit(hash, probe, bitCount)
            layers[last].words[Int(bit >> 6)] |= 1 << (bit & 63)
        }
        layers[last].room -= 1
    }

    /// Complexity: O(layers); the last has half of the keys.
    public func mayContain(_ hash: UInt64) -> Bool {
        for layer in layers.indices.reversed() where layers[layer].mayContain(hash) { return true }
        return false
    }

    /// Key groups are the upper bits of a hash and tables use the lower: mixed again, so that a
    /// worker's share of the keys fills its filter evenly.
    fileprivate static func bit(_ hash: UInt64, _ probe: Int, _ bitCount: UInt64) -> UInt64 {
        let mixed = (hash ^ (hash >> 29)) &* 0xBF58_476D_1CE4_E5B9
        let step = (mixed >> 32) | 1
        let position = mixed &+ UInt64(probe) &* step &* 0x9E37_79B9_7F4A_7C15
        return position.multipliedFullWidth(by: bitCount).high
    }
}

extension KeyFilter.Layer {
    fileprivate func mayContain(_ hash: UInt64) -> Bool {
        let bitCount = UInt64(words.count) * 64
        for probe in 0..<KeyFilter.probes {
            let bit = KeyFilter.bit(hash, probe, bitCount)
            if words[Int(bit >> 6)] & (1 << (bit & 63)) == 0 { return false }
        }
        return true
    }
}
