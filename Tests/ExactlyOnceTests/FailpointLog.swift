// What a process passed before it died, and what that says about each sink.

import Foundation

/// One line of the log: a place, the sink and the epochs it was passed with.
struct PassedPlace {
    let name: String
    let sink: String?
    let epochs: [Int]

    init(_ line: Substring) {
        let words = line.split(separator: " ").map(String.init)
        name = words.first ?? ""
        sink = words.count > 1 ? words[1] : nil
        epochs = words.dropFirst(2).compactMap(Int.init)
    }
}

/// Where a kill fell.
struct Fall: CustomStringConvertible {
    let last: String
    /// Per sink the last place that it passed.
    let lastBySink: [String: String]
    /// Sinks with a durable intent whose commit had not been noted.
    let open: Set<String>
    /// Sinks with a durable intent whose log entry (or transaction) was not there yet.
    let uncommitted: Set<String>
    /// The process had begun with open intents: it was itself a recovery.
    let wasRecovery: Bool
    let isRandom: Bool

    var description: String {
        let sinks = lastBySink.sorted { $0.key < $1.key }.map { sink, place in
            "\(sink): \(place)\(open.contains(sink) ? " (intent open)" : "")"
        }
        return "\(isRandom ? "random" : "aimed") at \(last)\(wasRecovery ? ", in a recovery" : "")"
            + (sinks.isEmpty ? "" : "; " + sinks.joined(separator: ", "))
    }
}

struct FailpointLog {
    let places: [PassedPlace]

    init(_ file: URL) {
        let text = (try? String(contentsOf: file, encoding: .utf8)) ?? ""
        places = text.split(separator: "\n").map(PassedPlace.init)
    }

    var names: Set<String> { Set(places.map(\.name)) }
    func count(_ name: String) -> Int { places.count { $0.name == name } }

    /// Every place with how often it was passed; by sink where there is one.
    var passes: [(trigger: String, count: Int)] {
        var counts: [String: Int] = [:]
        for place in places {
            counts[place.sink.map { "\(place.name):\($0)" } ?? place.name, default: 0] += 1
        }
        return counts.sorted { $0.key < $1.key }.map { (trigger: $0.key, count: $0.value) }
    }

    func fall(isRandom: Bool) -> Fall {
        var lastBySink: [String: String] = [:]
        var open: [String: Set<Int>] = [:]
        var uncommitted: [String: Set<Int>] = [:]
        var committing: [String: Set<Int>] = [:]
        for place in places {
            guard let sink = place.sink else { continue }
            lastBySink[sink] = place.name
            switch place.name {
            case "intent.offered", "start.open_intents":
                open[sink, default: []].formUnion(place.epochs)
                uncommitted[sink, default: []].formUnion(place.epochs)
            case "commit.begin":
                let last = place.epochs.first ?? 0
                committing[sink] = uncommitted[sink, default: []].filter { $0 <= last }
            case "delta.after_commit", "kafka.committed":
                uncommitted[sink, default: []].subtract(committing[sink] ?? [])
            case "commit.done":
                let last = place.epochs.first ?? 0
                open[sink] = open[sink, default: []].filter { $0 > last }
                uncommitted[sink] = uncommitted[sink, default: []].filter { $0 > last }
            default: break
            }
        }
        return Fall(
            last: places.last?.name ?? "nothing", lastBySink: lastBySink,
            open: Set(open.filter { !$0.value.isEmpty }.keys),
            uncommitted: Set(uncommitted.filter { !$0.value.isEmpty }.keys),
            wasRecovery: names.contains("start.open_intents"), isRandom: isRandom)
    }
}
