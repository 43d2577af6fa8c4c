// The texts of Nexmark's events: ranges into buffers that are made once, so a text costs a hash.

import Columns

/// Shared buffers of one generator. Complexity: about 1 MB and 10 ms to make.
struct NexmarkTexts {
    /// Random lower-case letters, from which items, descriptions and padding are cut.
    let pool: [UInt8]
    static let poolLength: UInt64 = 1 << 16
    static let longestCut: UInt64 = 256

    let channelData: [UInt8]
    /// 4 hot ones, then `channelCount` others.
    let channels: [ValueRange]
    let urlData: [UInt8]
    let urls: [ValueRange]

    static let hotChannels = ["Google", "Facebook", "Baidu", "Apple"]
    static let channelCount: UInt64 = 10_000
    static let states = ["AZ", "CA", "ID", "OR", "WA", "WY"]
    static let cities = [
        "Phoenix", "Los Angeles", "San Francisco", "Boise", "Portland", "Bend", "Redmond",
        "Seattle", "Kent", "Cheyenne",
    ]
    static let firstNames = [
        "Peter", "Paul", "Luke", "John", "Saul", "Vicky", "Kate", "Julie", "Sarah", "Deiter",
        "Walter",
    ]
    static let lastNames = [
        "Shultz", "Abrams", "Spencer", "White", "Bartels", "Walton", "Smith", "Jones", "Noris",
    ]

    init(_ events: NexmarkEvents) {
        pool = (0..<Int64(Self.poolLength + Self.longestCut)).map {
            UInt8(ascii: "a") + UInt8(events.draw(~$0, .description, below: 26))
        }
        var channelData: [UInt8] = []
        var channels: [ValueRange] = []
        var urlData: [UInt8] = []
        var urls: [ValueRange] = []
        for index in 0..<(4 + Int64(Self.channelCount)) {
            let isHot = index < 4
            let start = channelData.count
            let name = isHot ? Self.hotChannels[Int(index)] : "channel-\(index - 4)"
            channelData.append(contentsOf: name.utf8)
            channels.append(ValueRange(start: start, length: channelData.count - start))
            let urlStart = urlData.count
            urlData.append(contentsOf: "https://www.nexmark.com".utf8)
            for part in 0..<Int64(3) {
                let cut = Int(events.draw(~(index * 4 + part), .channel, below: Self.poolLength))
                urlData.append(UInt8(ascii: "/"))
                urlData.append(contentsOf: pool[cut..<cut + 5])
            }
            urlData.append(contentsOf: "/item.htm?query=1".utf8)
            if !isHot, events.draw(~index, .channelIsHot, below: 10) > 0 {
                let reversed = UInt32(truncatingIfNeeded: index - 4).bitReversed
                urlData.append(
                    contentsOf: "&channel_id=\(Int32(bitPattern: reversed).magnitude)".utf8)
            }
            urls.append(ValueRange(start: urlStart, length: urlData.count - urlStart))
        }
        self.channelData = channelData
        self.channels = channels
        self.urlData = urlData
        self.urls = urls
    }

    /// The channel of a bid: one of the 4 hot ones half of the time.
    static func channel(_ events: NexmarkEvents, _ event: Int64) -> Int {
        if events.draw(event, .channelIsHot) >> 63 == 1 {
            return Int(events.draw(event, .channel, below: 4))
        }
        return 4 + Int(events.draw(event, .channel, below: channelCount))
    }

    /// A piece of the pool, as long as the `average` ± a fifth.
    static func cut(_ bits: UInt64, average: UInt64) -> ValueRange {
        let spread = average / 5
        let length = average - spread + (bits >> 32) % (2 * spread + 1)
        return ValueRange(start: Int(bits % poolLength), length: Int(length))
    }
}

extension UInt32 {
    fileprivate var bitReversed: UInt32 {
        var result: UInt32 = 0
        for bit in 0..<32 where self >> bit & 1 == 1 { result |= 1 << (31 - bit) }
        return result
    }
}
