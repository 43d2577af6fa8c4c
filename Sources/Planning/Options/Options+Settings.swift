// SET and `--set`, in the order of the file.

import Contracts
import Kernels
import SQLSyntax
import Types

/// Collects SET statements; `--set` beats them.
struct SettingsReader {
    private(set) var statement = StatementSettings()
    private let options: PlanningOptions
    private var wholeFile: [String: OptionValue] = [:]
    private var overridden: Set<String>

    init(options: PlanningOptions) {
        self.options = options
        overridden = Set(options.overrides.map(\.name))
        // A wrong `--set` is reported by `finish`, with every name and value checked.
        for override in options.overrides {
            if let value = try? read(Self.syntax(override)) { remember(value) }
        }
    }

    /// One SET statement.
    mutating func apply(_ option: OptionSyntax) throws(Failure) {
        let value = try read(option)
        let name = option.name.text
        if overridden.contains(name) { return }
        if let earlier = wholeFile[name], earlier.value != value.value {
            throw Failure(
                .invalid, "option.contradiction", "\(name) is set twice with different values",
                hint: "it holds for the whole file", place: option.name.place)
        }
        remember(value)
    }

    /// The whole-file settings. Throws for a wrong `--set`.
    func finish() throws(Failure) -> Settings {
        for override in options.overrides { _ = try read(Self.syntax(override)) }
        var settings = Settings()
        for (name, option) in wholeFile {
            switch (name, option.value) {
            case ("checkpoint_interval", .interval(let value)):
                settings.checkpointIntervalMicroseconds = value
            case ("checkpoint_history", .integer(let value)):
                settings.checkpointHistory = Int(value)
            case ("state_memory", .size(let value)): settings.stateMemory = value
            case ("epoch_bytes", .size(let value)): settings.epochBytes = value
            case ("pending_limit", .size(let value)): settings.pendingLimit = value
            case ("batch_rows", .integer(let value)): settings.batchRows = Int(value)
            case ("collect_limit", .integer(let value)): settings.collectLimit = Int(value)
            case ("application_name", .text(let value)): settings.applicationName = value
            default: bug("the setting \(name) has no place")
            }
        }
        return settings
    }

    private static func syntax(_ override: PlanningOptions.Override) -> OptionSyntax {
        let place = SourcePlace(file: "--set \(override.name)", offset: 0)
        return OptionSyntax(
            name: Name(override.name, place: place), value: override.value, valuePlace: place)
    }

    private func read(_ written: OptionSyntax) throws(Failure) -> OptionValue {
        let name = written.name.text == "timezone" ? "time_zone" : written.name.text
        let option = OptionSyntax(
            name: Name(name, place: written.name.place), value: written.value,
            valuePlace: written.valuePlace)
        if name == "state_ttl" {
            throw Failure(
                .invalid, "sql.not_yet", "state_ttl is not supported yet", place: option.name.place)
        }
        let known = OptionTable.all.filter { $0.place == .wholeFile || $0.place == .statements }
        let value = try OptionReader(environment: options.environment)
            .read(option, known: known, of: "SET")
        if name == "time_zone", case .text(let zone) = value.value {
            try checkZone(zone, option.valuePlace)
        }
        return value
    }

    /// A tzdata name. A number is refused: PostgreSQL's SET and its AT TIME ZONE count it in
    /// opposite directions.
    private func checkZone(_ zone: String, _ place: SourcePlace) throws(Failure) {
        if Self.universal.contains(zone.lowercased()) { return }
        let hasLetter = zone.unicodeScalars.contains { $0.properties.isAlphabetic }
        guard hasLetter, SessionZone(zone) != nil else {
            throw Failure(
                .invalid, "option.invalid", "'\(zone)' is no time zone",
                hint: "a name such as 'Europe/Berlin'", place: place)
        }
    }

    private static let universal: Set<String> = ["utc", "etc/utc", "gmt", "default", "z", "0"]

    private mutating func remember(_ option: OptionValue) {
        switch (option.name.text, option.value) {
        case ("emit", .text(let word)): statement.emit = EmitMode(rawValue: word) ?? .onClose
        case ("commit_interval", .interval(let value)): statement.commitInterval = value
        case ("time_zone", .text(let zone)):
            statement.timeZone = Self.universal.contains(zone.lowercased()) ? nil : zone
        default: wholeFile[option.name.text] = option
        }
    }
}
