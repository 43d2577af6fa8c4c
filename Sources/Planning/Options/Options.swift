// Options as given, checked against the table.

package import Contracts
package import SQLSyntax
import Types

/// The checked options of one table or materialized view.
package struct OptionValues: Sendable {
    package let connector: ConnectorKind
    /// By name; only what was given, `"kafka.*"` with its prefix.
    package let given: [String: OptionValue]
    package let place: SourcePlace
}

package struct OptionValue: Sendable {
    package let name: Name
    package let value: Value
    package let place: SourcePlace

    package enum Value: Sendable, Hashable {
        case text(String)
        case boolean(Bool)
        case integer(Int64)
        /// µs.
        case interval(Int64)
        /// Bytes.
        case size(Int64)
        /// µs since 1970.
        case time(Int64)
        case names([String])
        case ranges([ClosedRange<Int32>])
    }
}

extension OptionValues {
    /// The options of a materialized view or table, checked against the connector's table. A table
    /// may turn out to be either; `require(asSource:)` then looks again.
    /// Throws `option.unknown` with the nearest name, `option.invalid` with the value's place.
    package init(
        connector name: Name, options: [OptionSyntax], isSource: Bool, isSink: Bool,
        environment: [String: String]
    ) throws(Failure) {
        guard let connector = ConnectorKind(rawValue: name.text) else {
            let known = ConnectorKind.allCases.map(\.rawValue)
            throw Failure(
                .invalid, "option.connector_unknown", "there is no connector \"\(name.text)\"",
                hint: nearestName(to: name.text, among: known).map { "did you mean \($0)?" }
                    ?? "there are \(known.joined(separator: ", "))",
                place: name.place)
        }
        guard isSource || connector.isSink else {
            throw Failure(
                .invalid, "option.connector_role", "\(connector) is a source, not an output",
                place: name.place)
        }
        var known: [OptionDefinition] = []
        if isSink { known += OptionTable.options(of: connector, asSource: false) }
        if isSource { known += OptionTable.options(of: connector, asSource: true) }
        var given: [String: OptionValue] = [:]
        for option in options {
            guard given[option.name.text] == nil else {
                throw Failure(
                    .invalid, "option.repeated", "option \"\(option.name.text)\" stands twice",
                    place: option.name.place)
            }
            given[option.name.text] = try OptionReader(environment: environment)
                .read(option, known: known, of: "\(connector)")
        }
        self.connector = connector
        self.given = given
        self.place = name.place
    }

    /// Refuses options that belong to the other use of the connector.
    func require(asSource: Bool) throws(Failure) {
        let known = OptionTable.options(of: connector, asSource: asSource)
        for value in given.values.sorted(by: { $0.name.place.offset < $1.name.place.offset }) {
            let name = value.name.text
            let own = known.filter { $0.name == name }
            let isPassed = connector == .kafka && name.hasPrefix("kafka.")
            guard !own.isEmpty || isPassed else {
                throw Failure(
                    .invalid, "option.role",
                    "option \"\(name)\" is for \(asSource ? "outputs" : "sources"), and this table "
                        + "is \(asSource ? "a source" : "an output")", place: value.name.place)
            }
            if let definition = own.first, case .choice(let words) = definition.type,
                case .text(let word) = value.value, !words.contains(word)
            {
                throw OptionReader.invalid(definition, word, value.place)
            }
        }
    }

    // MARK: Values by name

    package func text(_ name: String) -> String? {
        if case .text(let text)? = given[name]?.value { return text }
        return nil
    }

    package func boolean(_ name: String) -> Bool? {
        if case .boolean(let value)? = given[name]?.value { return value }
        return nil
    }

    /// Integers, intervals in µs, sizes in bytes, times in µs.
    package func number(_ name: String) -> Int64? {
        switch given[name]?.value {
        case .integer(let value)?, .interval(let value)?, .size(let value)?, .time(let value)?:
            value
        default: nil
        }
    }

    package func names(_ name: String) -> [String]? {
        if case .names(let names)? = given[name]?.value { return names }
        return nil
    }

    func required(_ name: String) throws(Failure) -> String {
        if let text = text(name), !text.isEmpty { return text }
        throw Failure(
            .invalid, "option.required", "\(connector) needs the option \(name)",
            hint: "WITH (\(name) = '…')", place: given[name]?.place ?? place)
    }

    /// `"kafka.x"` as x.
    var passedThrough: [String: String] {
        var properties: [String: String] = [:]
        for (name, value) in given where name.hasPrefix("kafka.") {
            if case .text(let text) = value.value { properties[String(name.dropFirst(6))] = text }
        }
        return properties
    }
}

/// Reads one value by its definition.
struct OptionReader {
    let environment: [String: String]

    func read(
        _ option: OptionSyntax, known: [OptionDefinition], of what: String
    ) throws(Failure) -> OptionValue {
        let name = option.name.text
        let value = try substitutingVariables(
            in: option.value, environment: environment, place: option.valuePlace)
        let passes = known.contains { $0.name == "kafka.*" }
        if passes, name.hasPrefix("kafka."), name.utf8.count > 6 {
            return OptionValue(name: option.name, value: .text(value), place: option.valuePlace)
        }
        let definitions = known.filter { $0.name == name }
        guard let definition = definitions.first else {
            let nearest = nearestName(to: name, among: known.map(\.name))
            throw Failure(
                .invalid, "option.unknown", "\(what) has no option \"\(name)\"",
                hint: nearest.map { "did you mean \"\($0)\"?" }, place: option.name.place)
        }
        var merged = definition
        let words = definitions.flatMap { definition -> [String] in
            if case .choice(let words) = definition.type { return words }
            return []
        }
        if definitions.count > 1, !words.isEmpty {
            merged = OptionDefinition(
                definition.place, name, .choice(words), default: "", definition.summary)
        }
        return OptionValue(
            name: option.name, value: try parse(merged, value, option.valuePlace),
            place: option.valuePlace)
    }

    static func invalid(
        _ definition: OptionDefinition, _ text: String, _ place: SourcePlace, hint: String? = nil
    ) -> Failure {
        var near = hint
        if case .choice(let words) = definition.type, near == nil {
            var seen: Set<String> = []
            let unique = words.filter { seen.insert($0).inserted }
            near =
                nearestName(to: text, among: unique).map { "did you mean '\($0)'?" }
                ?? "one of \(unique.joined(separator: ", "))"
        }
        return Failure(
            .invalid, "option.invalid",
            "'\(text)' is no value of \(definition.name)", hint: near, place: place)
    }

    func parse(
        _ definition: OptionDefinition, _ text: String, _ place: SourcePlace
    ) throws(Failure) -> OptionValue.Value {
        func invalid(_ hint: String? = nil) -> Failure {
            Self.invalid(definition, text, place, hint: hint)
        }
        switch definition.type {
        case .text, .column, .table:
            return .text(definition.type == .text ? text : identifier(text))
        case .boolean:
            if ["true", "on", "yes", "1"].contains(text.lowercased()) { return .boolean(true) }
            if ["false", "off", "no", "0"].contains(text.lowercased()) { return .boolean(false) }
            throw invalid("true or false")
        case .choice(let words):
            guard words.contains(text) else { throw invalid() }
            return .text(text)
        case .integer(let range):
            guard let value = Int64(text), range.contains(value) else {
                throw invalid("an integer from \(range.lowerBound) to \(range.upperBound)")
            }
            return .integer(value)
        case .size:
            guard let bytes = Self.size(text), bytes > 0 else {
                throw invalid("a size such as 512MB, with B, kB, MB, GB or TB")
            }
            return .size(bytes)
        case .columnList: return .names(try list(text, definition, place))
        case .ranges:
            guard let ranges = Self.ranges(text) else { throw invalid("ranges such as 0-3,7") }
            return .ranges(ranges)
        case .interval: return .interval(try interval(text, definition, place))
        case .time:
            if ["earliest", "latest"].contains(text), definition.name == "start" {
                return .text(text)
            }
            guard let literal = try? literalValue(text, .timestamptz, place),
                case .int64(let time) = literal
            else {
                let words = definition.name == "start" ? "earliest, latest or " : ""
                throw invalid("\(words)a time: '2026-01-31T12:00:00Z'")
            }
            return .time(time)
        }
    }

    private func interval(
        _ text: String, _ definition: OptionDefinition, _ place: SourcePlace
    ) throws(Failure) -> Int64 {
        guard case .interval(let value) = try literalValue(text, .interval, place),
            value.months == 0, let span = Int64(exactly: value.span), span >= 0
        else {
            throw Self.invalid(
                definition, text, place, hint: "an interval such as '10 seconds', without months")
        }
        let isPeriod = ["checkpoint_interval", "refresh_interval"].contains(definition.name)
        guard span > 0 || !isPeriod else {
            throw Self.invalid(definition, text, place, hint: "more than 0 s")
        }
        return span
    }

    /// As PostgreSQL reads an identifier: lower case unless quoted.
    private func identifier(_ text: String) -> String {
        let bytes = Array(text.utf8).trimmed
        guard bytes.count > 1, bytes.first == 0x22, bytes.last == 0x22 else {
            return String(decoding: bytes, as: UTF8.self).lowercased()
        }
        return String(decoding: bytes.dropFirst().dropLast(), as: UTF8.self)
    }

    private func list(
        _ text: String, _ definition: OptionDefinition, _ place: SourcePlace
    ) throws(Failure) -> [String] {
        let names = text.split(separator: ",", omittingEmptySubsequences: false)
            .map { identifier(String($0)) }
        guard !names.contains(""), Set(names).count == names.count else {
            throw Self.invalid(definition, text, place, hint: "columns such as 'a, b'")
        }
        return names
    }

    /// `512MB`: powers of 1024, as in PostgreSQL.
    static func size(_ text: String) -> Int64? {
        let bytes = Array(text.utf8)
        let digits = bytes.prefix { (0x30...0x39).contains($0) }
        let unit = String(decoding: Array(bytes.dropFirst(digits.count)).trimmed, as: UTF8.self)
        let powers = ["": 0, "B": 0, "kB": 1, "MB": 2, "GB": 3, "TB": 4]
        guard let power = powers[unit], let count = Int64(String(decoding: digits, as: UTF8.self))
        else { return nil }
        let (value, overflow) = count.multipliedReportingOverflow(by: Int64(1) << (10 * power))
        return overflow ? nil : value
    }

    static func ranges(_ text: String) -> [ClosedRange<Int32>]? {
        var ranges: [ClosedRange<Int32>] = []
        for part in text.split(separator: ",", omittingEmptySubsequences: false) {
            let ends = part.split(separator: "-", omittingEmptySubsequences: false).map {
                Int32(String(decoding: Array($0.utf8).trimmed, as: UTF8.self))
            }
            guard let first = ends.first, let low = first, ends.count <= 2,
                let high = ends[ends.count - 1], low >= 0, low <= high
            else { return nil }
            ranges.append(low...high)
        }
        return ranges
    }
}

extension [UInt8] {
    /// Without spaces at both ends.
    fileprivate var trimmed: [UInt8] {
        let front = drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a }
        return Array(front.reversed().drop { $0 == 0x20 || $0 == 0x09 || $0 == 0x0a }.reversed())
    }
}
