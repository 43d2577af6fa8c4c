// What is fuzzed: everything that reads bytes which somebody else made. One input, one verdict.

public import Contracts

/// A reader of foreign bytes. Besides not trapping, not hanging and not eating memory (libFuzzer
/// sees to these) each has properties of its own that must hold for any input.
public enum FuzzTarget: String, CaseIterable, Sendable {
    case json, debezium, csv, sql, parquet, state
    case deltaLog = "delta-log"

    /// Reads the input. What is wrong with how it was read; nil for what is as it should be, which
    /// includes a `Failure` that says what is wrong with the input.
    public func complaint(about input: [UInt8]) -> String? {
        switch self {
        case .json: MessageProbe.json(input)
        case .debezium: MessageProbe.debezium(input)
        case .csv: MessageProbe.csv(input)
        case .sql: SQLProbe.complaint(input)
        case .parquet: ParquetProbe.complaint(input)
        case .state: StateProbe.complaint(input)
        case .deltaLog: DeltaLogProbe.complaint(input)
        }
    }

    /// One input a line, with `\xNN` for what is not printable ASCII and `\\` for a backslash: a
    /// corpus that a diff shows.
    public static func line(_ input: [UInt8]) -> String {
        var line = ""
        for byte in input {
            switch byte {
            case 0x5c: line += "\\\\"
            case 0x20..<0x7f: line.unicodeScalars.append(Unicode.Scalar(byte))
            default: line += "\\x" + (byte < 16 ? "0" : "") + String(byte, radix: 16)
            }
        }
        return line
    }

    /// What `line` made a line of.
    public static func input(_ line: some StringProtocol) throws(Failure) -> [UInt8] {
        var input: [UInt8] = []
        var rest = Array(line.utf8)[...]
        while let byte = rest.popFirst() {
            guard byte == 0x5c else {
                input.append(byte)
                continue
            }
            if rest.first == 0x5c {
                input.append(0x5c)
                rest.removeFirst()
                continue
            }
            let digits = String(decoding: rest.dropFirst().prefix(2), as: UTF8.self)
            guard rest.first == 0x78, let value = UInt8(digits, radix: 16) else {
                throw Failure(.failed, "fuzz.corpus", "a broken escape in \(line.prefix(60))")
            }
            input.append(value)
            rest = rest.dropFirst(3)
        }
        return input
    }
}
