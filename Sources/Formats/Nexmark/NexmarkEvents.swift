// The numbers of Nexmark's events, each a pure function of seed and event number.
//
// Proportions, ids and hot ratios are the defaults of nexmark/nexmark's NexmarkConfiguration: of 50
// events the first is a person, the next three are auctions, the others bids; every id counts from
// 1000; half of the bids go to the newest hot auction, three quarters come from the newest hot
// bidder. The original draws from one sequential generator; here a draw is a hash of (seed, event,
// field), so that any event can be made without the ones before it: the stream resumes anywhere
// without state.

/// Draws and ids of one stream.
struct NexmarkEvents {
    let seed: UInt64
    /// Events per second of event time.
    let rate: Int64
    /// µs.
    let startTime: Int64

    static let proportion: Int64 = 50
    static let auctionsPerEpoch: Int64 = 3
    static let firstID: Int64 = 1000
    static let idLead: UInt64 = 10
    static let hotStride: Int64 = 100
    static let inFlightAuctions: Int64 = 100
    static let activePeople: Int64 = 1000
    static let firstCategory: Int64 = 10

    /// What a draw is for; each field has its own.
    enum Draw: UInt64 {
        case bidIsHot = 1, bidAuction, bidderIsHot, bidder, price, channelIsHot, channel, extra
        case sellerIsHot, seller, category, initialBid, reserve, expires, itemName, description
        case firstName, lastName, email, creditCard, city, state
    }

    /// 64 random bits: SplitMix64's finalizer over a counter.
    @inline(__always)
    func draw(_ event: Int64, _ draw: Draw) -> UInt64 {
        var bits = seed &+ UInt64(bitPattern: event) &* 0x9e37_79b9_7f4a_7c15
        bits = bits &+ draw.rawValue &* 0xd1b5_4a32_d192_ed03
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

    /// A draw from 0 ..< `bound`.
    @inline(__always)
    func draw(_ event: Int64, _ draw: Draw, below bound: UInt64) -> Int64 {
        Int64(truncatingIfNeeded: self.draw(event, draw).multipliedFullWidth(by: bound).high)
    }

    /// µs of event time.
    @inline(__always)
    func time(_ event: Int64) -> Int64 {
        startTime &+ event / rate &* 1_000_000 &+ event % rate &* 1_000_000 / rate
    }

    /// Number of the newest person when `event` happens, from 0.
    @inline(__always)
    func lastPerson(_ event: Int64) -> Int64 { event / Self.proportion }

    /// Number of the newest auction when `event` happens, from 0; −1 before the first.
    @inline(__always)
    func lastAuction(_ event: Int64) -> Int64 {
        let position = event % Self.proportion
        let epoch = event / Self.proportion
        return epoch &* Self.auctionsPerEpoch &+ min(position, Self.auctionsPerEpoch) &- 1
    }

    @inline(__always)
    func bidAuction(_ event: Int64) -> Int64 {
        let last = lastAuction(event)
        if draw(event, .bidIsHot) >> 63 == 1 {
            return Self.firstID &+ last / Self.hotStride &* Self.hotStride
        }
        let first = max(last &- Self.inFlightAuctions, 0)
        let count = UInt64(truncatingIfNeeded: last &- first &+ 1) &+ Self.idLead
        return Self.firstID &+ first &+ draw(event, .bidAuction, below: count)
    }

    @inline(__always)
    private func anyPerson(_ event: Int64, _ field: Draw) -> Int64 {
        let people = lastPerson(event) &+ 1
        let active = min(people, Self.activePeople)
        let count = UInt64(truncatingIfNeeded: active) &+ Self.idLead
        return people &- active &+ draw(event, field, below: count)
    }

    @inline(__always)
    func bidder(_ event: Int64) -> Int64 {
        if draw(event, .bidderIsHot) >> 62 != 0 {
            let hot = lastPerson(event) / Self.hotStride &* Self.hotStride &+ 1
            return Self.firstID &+ hot
        }
        return Self.firstID &+ anyPerson(event, .bidder)
    }

    @inline(__always)
    func seller(_ event: Int64) -> Int64 {
        if draw(event, .sellerIsHot) >> 62 != 0 {
            return Self.firstID &+ lastPerson(event) / Self.hotStride &* Self.hotStride
        }
        return Self.firstID &+ anyPerson(event, .seller)
    }

    @inline(__always)
    func auctionID(_ event: Int64) -> Int64 { Self.firstID &+ lastAuction(event) }
    @inline(__always)
    func personID(_ event: Int64) -> Int64 { Self.firstID &+ lastPerson(event) }

    func category(_ event: Int64) -> Int64 {
        Self.firstCategory + draw(event, .category, below: 5)
    }

    /// When the auction ends: about as long as 1,666 events take, at most twice that.
    func expires(_ event: Int64) -> Int64 {
        let span = Self.inFlightAuctions * Self.proportion / Self.auctionsPerEpoch
        let now = time(event)
        let horizon = max((time(event + span) - now) * 2, 1)
        return now + 1000 + draw(event, .expires, below: UInt64(horizon))
    }

    /// Cents, log-uniform: 100 × 10^(6u). A polynomial, since libm's last bit is not the same
    /// everywhere and costs more than the rest of a bid.
    @inline(__always)
    func price(_ event: Int64, _ field: Draw) -> Int64 {
        let unit = Double(draw(event, field) >> 11) * 0x1p-53
        let exponent = unit * 19.931568569324174  // 6 × log2(10)
        let whole = exponent.rounded(.down)
        let x = (exponent - whole) * 0.6931471805599453
        var power = 1.0 + x * (1.0 / 8)
        power = 1.0 + x * (1.0 / 7) * power
        power = 1.0 + x * (1.0 / 6) * power
        power = 1.0 + x * (1.0 / 5) * power
        power = 1.0 + x * (1.0 / 4) * power
        power = 1.0 + x * (1.0 / 3) * power
        power = 1.0 + x * (1.0 / 2) * power
        power = 1.0 + x * power
        let scale = Double(UInt64(1) << UInt64(whole))
        return Int64(power * scale * 100 + 0.5)
    }
}
