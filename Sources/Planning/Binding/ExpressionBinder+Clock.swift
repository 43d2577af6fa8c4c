// now() and random(): constants of a command, refused in a topology (dialect.md §3.5).

import Contracts
import Kernels
import SQLSyntax
import Types

extension ExpressionBinder {
    /// `current_timestamp` and the other words without parentheses.
    func currentTime(_ name: String, _ place: SourcePlace) throws(Failure) -> Operand {
        let now = try commandTime(name, place)
        let clock = context.settings.zone.map { $0.local(now) ?? now } ?? now
        let local = Expression.constant(.int64(clock), .timestamp)
        switch name {
        case "current_date": return Operand(.cast(local, to: .date, place: place), place)
        case "current_timestamp":
            return Operand(.constant(.int64(now), .timestamptz), place)
        case "localtimestamp": return Operand(local, place)
        case "localtime": return Operand(.cast(local, to: .time, place: place), place)
        default: throw notYet(name, place)
        }
    }

    /// The value of a function that depends on the moment or on chance; nil for all others.
    func commandConstant(
        _ name: String, _ call: FunctionCall, _ place: SourcePlace
    ) throws(Failure) -> Operand? {
        guard Self.volatile.contains(name), call.arguments.isEmpty else { return nil }
        let now = try commandTime("\(name)()", place)
        switch name {
        case "random":
            let unit = Double(randomBits(place, 0) >> 11) * 0x1p-53
            return Operand(.constant(.float64(unit), .double), place)
        case "gen_random_uuid":
            return Operand(.constant(.int128(randomUUID(place)), .uuid), place)
        default: return Operand(.constant(.int64(now), .timestamptz), place)
        }
    }

    private static let volatile: Set<String> = [
        "now", "clock_timestamp", "statement_timestamp", "transaction_timestamp", "random",
        "gen_random_uuid",
    ]

    private func commandTime(_ shown: String, _ place: SourcePlace) throws(Failure) -> Int64 {
        if let time = context.options.commandTime { return time }
        let isRandom = shown == "random()" || shown == "gen_random_uuid()"
        throw Failure(
            .invalid, "sql.not_deterministic",
            "\(shown) has no place in a topology: the same rows must give the same result again",
            hint: isRandom
                ? "derive it from the row, or use it in query"
                : "use _timestamp, the record's own time, or _extracted_at, when it was read",
            place: place)
    }

    /// SplitMix64 of the command's seed and the call's place: each call has a value of its own.
    private func randomBits(_ place: SourcePlace, _ draw: UInt64) -> UInt64 {
        var bits = context.options.randomSeed &+ UInt64(place.offset) &* 0x9e37_79b9_7f4a_7c15
        bits &+= (draw &+ 1) &* 0xd1b5_4a32_d192_ed03
        bits = (bits ^ (bits >> 30)) &* 0xbf58_476d_1ce4_e5b9
        bits = (bits ^ (bits >> 27)) &* 0x94d0_49bb_1331_11eb
        return bits ^ (bits >> 31)
    }

    /// Version 4, as a column keeps it: big-endian with the first bit flipped.
    private func randomUUID(_ place: SourcePlace) -> Int128 {
        let high = (randomBits(place, 0) & ~0xf000) | 0x4000
        let low = (randomBits(place, 1) & ~(0b11 << 62)) | (0b10 << 62)
        return Int128(bitPattern: (UInt128(high) << 64 | UInt128(low)) ^ (UInt128(1) << 127))
    }
}
