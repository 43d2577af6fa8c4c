// Recordings of the real Debezium, applied message by message, must give the tables that PostgreSQL
// had at the end (shared/conformance/debezium), plain and with schemas.

import Columns
import Contracts
import Formats
import Foundation
import Kernels
import Planning
import PythonSupport
import Testing
import Types

/// A table of a recording.
struct Recording: Sendable, CustomTestStringConvertible {
    let scenario: String
    let table: String
    let runs: [String]
    let columns: [(String, LogicalType)]
    let key: [String]

    var testDescription: String { "\(scenario)/\(table)" }

    static let all: [Recording] = [
        Recording(
            scenario: "update_identity_default", table: "accounts",
            runs: ["default.plain", "default.schema"],
            columns: [("id", .integer), ("owner", .text), ("balance", .bigint), ("note", .text)],
            key: ["id"]),
        Recording(
            scenario: "delete_identity_default", table: "customers",
            runs: ["default.plain", "default.schema", "no_tombstones.plain"], columns: customers,
            key: ["id"]),
        Recording(
            scenario: "delete_identity_full", table: "customers",
            runs: ["default.plain", "default.schema"], columns: customers, key: ["id"]),
        Recording(
            scenario: "pk_update_identity_default", table: "lines",
            runs: ["default.plain", "default.schema"], columns: lines,
            key: ["order_id", "line_no"]),
        Recording(
            scenario: "pk_update_identity_full", table: "lines",
            runs: ["default.plain", "default.schema"], columns: lines,
            key: ["order_id", "line_no"]),
        Recording(
            scenario: "inserts", table: "events", runs: ["default.plain", "default.schema"],
            columns: [
                ("id", .bigint), ("kind", .text), ("at", .timestamptz), ("n", .integer),
            ], key: ["id"]),
        Recording(
            scenario: "restart_duplicates", table: "t", runs: [], columns: [], key: []),
        Recording(
            scenario: "types", table: "t_int",
            runs: ["precise_adaptive.plain", "precise_adaptive.schema"],
            columns: [
                ("id", .integer), ("c_smallint", .smallint), ("c_int", .integer),
                ("c_bigint", .bigint), ("c_bool", .boolean),
            ], key: ["id"]),
        Recording(
            scenario: "types", table: "t_num",
            runs: [
                "precise_adaptive.plain", "precise_adaptive.schema", "string_adaptive.schema",
                "precise_json_number.plain", "precise_json_number.schema",
            ],
            columns: [
                ("id", .integer), ("n10_2", .numeric(precision: 10, scale: 2)),
                ("n38_0", .numeric(precision: 38, scale: 0)),
                ("n38_10", .numeric(precision: 38, scale: 10)),
                ("n5", .numeric(precision: 5, scale: 0)),
            ], key: ["id"]),
        Recording(
            scenario: "types", table: "t_real",
            runs: ["precise_adaptive.plain", "precise_adaptive.schema"],
            columns: [("id", .integer), ("r", .real), ("d", .double)], key: ["id"]),
        Recording(
            scenario: "types", table: "t_text",
            runs: ["precise_adaptive.plain", "precise_adaptive.schema"],
            columns: [
                ("id", .integer), ("t", .text), ("v", .text), ("c", .text), ("b", .bytea),
            ], key: ["id"]),
        Recording(
            scenario: "types", table: "t_time", runs: ["precise_adaptive.schema"],
            columns: times, key: ["id"]),
        Recording(
            scenario: "types", table: "t_time", runs: ["precise_adaptive.plain"],
            // Plain numbers of timestamp(0 … 3) and time(0 … 3) are ms, and nothing says so.
            columns: times.filter { !["t3", "t0", "ts3", "ts0"].contains($0.0) }, key: ["id"]),
        Recording(
            scenario: "types", table: "t_misc",
            runs: ["precise_adaptive.plain", "precise_adaptive.schema"],
            columns: [("id", .integer), ("u", .uuid), ("j", .json), ("jb", .json), ("e", .text)],
            key: ["id"]),
        Recording(
            scenario: "types", table: "t_array",
            runs: ["precise_adaptive.schema", "precise_adaptive.plain"],
            columns: [
                ("id", .integer), ("ints", .array(.integer)), ("bigs", .array(.bigint)),
                ("smalls", .array(.smallint)), ("texts", .array(.text)),
                ("bools", .array(.boolean)),
                ("dates", .array(.date)), ("nums", .array(.numeric(precision: 6, scale: 2))),
                ("uuids", .array(.uuid)), ("tss", .array(.timestamp)),
                ("tstzs", .array(.timestamptz)), ("dbls", .array(.double)), ("jbs", .array(.json)),
            ], key: ["id"]),
        Recording(
            scenario: "incremental_snapshot", table: "stock",
            runs: ["default.plain", "default.schema"], columns: [("id", .integer)], key: ["id"]),
        Recording(
            scenario: "orders_20k", table: "orders",
            runs: ["identity_default.plain", "identity_full.plain"],
            columns: [
                ("id", .bigint), ("customer_id", .integer), ("status", .text),
                ("amount", .numeric(precision: 10, scale: 2)), ("quantity", .integer),
                ("note", .text), ("created_at", .timestamptz),
            ], key: ["id"]),
    ].filter { !$0.runs.isEmpty }

    private static let customers: [(String, LogicalType)] = [
        ("id", .integer), ("name", .text), ("age", .smallint), ("email", .text),
        ("score", .numeric(precision: 8, scale: 2)), ("active", .boolean), ("joined", .date),
    ]
    private static let lines: [(String, LogicalType)] = [
        ("order_id", .integer), ("line_no", .smallint), ("sku", .text), ("qty", .integer),
    ]
    private static let times: [(String, LogicalType)] = [
        ("id", .integer), ("d", .date), ("t", .time), ("t3", .time), ("t0", .time),
        ("ts", .timestamp), ("ts3", .timestamp), ("ts0", .timestamp), ("tstz", .timestamptz),
    ]

    static func lines(_ name: String) throws -> [Substring] {
        let path = try Shared.path("conformance/debezium/\(name).jsonl")
        var data: Data
        if FileManager.default.fileExists(atPath: path.path) {
            data = try Data(contentsOf: path)
        } else {
            let process = Process()
            process.executableURL = URL(filePath: "/bin/gzip")
            process.arguments = ["-dc", path.path + ".gz"]
            let pipe = Pipe()
            process.standardOutput = pipe
            try process.run()
            data = try #require(try pipe.fileHandleForReading.readToEnd())
            process.waitUntilExit()
        }
        return String(decoding: data, as: UTF8.self).split(separator: "\n")
    }

    struct Message: Decodable {
        let topic: String
        let partition: Int32
        let key: String?
        let value: String?
    }

    /// The table's messages, in order.
    func messages(_ run: String) throws -> MessageBatch {
        var batch = MessageBatch()
        for line in try Self.lines("\(scenario)/\(run)") {
            let message = try JSONDecoder().decode(Message.self, from: Data(line.utf8))
            guard message.topic == "dbz.public.\(table)" else { continue }
            batch.append(
                partition: message.partition, offset: Int64(batch.count),
                key: message.key.map { Array($0.utf8) },
                value: message.value.map { Array($0.utf8) })
        }
        return batch
    }

    static func messages(
        _ scenario: String, _ table: String, _ run: String
    ) throws -> MessageBatch {
        try Recording(scenario: scenario, table: table, runs: [], columns: [], key: [])
            .messages(run)
    }

    /// The expected rows: each column's text, by the key's texts.
    func expected() throws -> [[String]: [String?]] {
        var rows: [[String]: [String?]] = [:]
        for line in try Self.lines("\(scenario)/\(table).expected") {
            let row = try JSONDecoder().decode([String: String?].self, from: Data(line.utf8))
            let values = columns.map { row[$0.0] ?? nil }
            rows[key.map { (row[$0] ?? nil) ?? "" }] = values
        }
        return rows
    }
}

@Suite(.enabled(if: Shared.isUsable, "no recordings of other projects beside the repository"))
struct DebeziumRecordingTests {
    @Test(arguments: Recording.all) func givesPostgreSQLsTable(_ recording: Recording) throws {
        let expected = try recording.expected()
        for run in recording.runs {
            let messages = try recording.messages(run)
            #expect(messages.count > 0)
            let decoded = try decoder(
                recording.columns, kind: .debeziumJSON, key: recording.key,
                timestamps: .unixMicroseconds
            ).decode(messages, extractedAt: 0)
            #expect(decoded.errors == [], "\(run)")
            let rows = apply(decoded.batch, recording)
            #expect(rows.count == expected.count, "\(run)")
            for (key, row) in expected { #expect(rows[key] == row, "\(run) \(key)") }
        }
    }

    private func apply(_ batch: Batch, _ recording: Recording) -> [[String]: [String?]] {
        let key = recording.key.map { name in
            recording.columns.firstIndex { $0.0 == name }.required("a key column")
        }
        var rows: [[String]: [String?]] = [:]
        for row in 0..<batch.rowCount {
            let values = batch.columns.map { column -> String? in
                guard column.isValid(row) else { return nil }
                var text: [UInt8] = []
                ValueText.append(column, row: row, to: &text)
                return String(decoding: text, as: UTF8.self)
            }
            let place = key.map { values[$0] ?? "" }
            rows[place] = batch.changes.required("changes")[row] < 0 ? nil : values
        }
        return rows
    }

    /// Two schemas in turn, as while a table is being altered: each message is read by its own.
    @Test func schemasMayAlternate() throws {
        let millis = try Recording.messages("types", "t_time", "precise_connect.schema")
        let micros = try Recording.messages("types", "t_time", "precise_adaptive.schema")
        var mixed = MessageBatch()
        for message in 0..<min(millis.count, micros.count) {
            for batch in [millis, micros] {
                mixed.append(
                    partition: 0, offset: 0, key: [UInt8]?.none, value: batch.value(message))
            }
        }
        let decoded = try decoder(
            [("id", .integer), ("ts3", .timestamp)], kind: .debeziumJSON, key: ["id"]
        ).decode(mixed, extractedAt: 0)
        #expect(decoded.errors == [] && decoded.batch.rowCount > 20)
        for pair in 0..<decoded.batch.rowCount / 2 {
            for column in decoded.batch.columns {
                #expect(column.scalar(2 * pair) == column.scalar(2 * pair + 1))
            }
        }
    }

    @Test func truncatesAreRefused() throws {
        let recording = Recording(
            scenario: "truncate", table: "other", runs: [], columns: [("id", .integer)],
            key: ["id"])
        let decoded = try decoder(recording.columns, kind: .debeziumJSON, key: ["id"])
            .decode(recording.messages("skipped_none.plain"), extractedAt: 0)
        #expect(decoded.errors.contains { $0.detail.contains("truncate") })
    }

    /// Where nobody keeps the last row, a value that Debezium did not send is refused.
    @Test func unchangedLargeValuesAreRefused() throws {
        for run in ["default.plain", "default.schema"] {
            let messages = try Recording.messages("toast_identity_default", "docs", run)
            let placeholders = (0..<messages.count).filter { message in
                let text = String(decoding: messages.value(message) ?? [], as: UTF8.self)
                return text.contains(#""body":"__debezium_unavailable_value""#)
            }
            #expect(!placeholders.isEmpty)
            let decoded = try decoder(
                [("id", .integer), ("body", .text)], kind: .debeziumJSON, key: ["id"]
            ).decode(messages, extractedAt: 0)
            #expect(decoded.errors.map(\.row) == placeholders)
            #expect(decoded.errors.allSatisfy { $0.reason == .valueMissing })
        }
    }

    /// Applied to the last row of its key, an incomplete row gives what PostgreSQL had; only a new
    /// key under REPLICA IDENTITY DEFAULT has no last row.
    @Test(arguments: ["default", "full"], ["default.plain", "default.schema"])
    func unchangedLargeValuesAreTold(identity: String, run: String) throws {
        let recording = Recording(
            scenario: "toast_identity_\(identity)", table: "docs", runs: [],
            columns: [
                ("id", .integer), ("title", .text), ("body", .text), ("data", .bytea),
                ("meta", .json), ("words", .array(.text)), ("nums", .array(.integer)),
                ("small", .integer),
            ], key: ["id"])
        let columns =
            recording.columns.enumerated().map {
                DecodedColumn(.field(name: $1.0, position: $0), $1.1)
            } + [DecodedColumn(.incomplete, .bytea)]
        let messages = try recording.messages(run)
        let decoder = try MessageDecoder(
            format: SourceFormat(kind: .debeziumJSON, timestampFormat: .unixMicroseconds),
            decoded: columns, primaryKey: ["id"], source: "s", topic: "docs")
        let batch = try decoder.decode(messages, extractedAt: 0).batch
        let incomplete = IncompleteRow.rows(of: batch.columns[8])
        #expect(incomplete.isEmpty == (identity == "full"))
        var rows: [String: [String?]] = [:]
        var unknown: [IncompleteRow] = []
        for row in 0..<batch.rowCount {
            var values = texts(batch, row, count: 8)
            let key = values[0] ?? ""
            let last = rows.removeValue(forKey: key)
            if batch.changes.required("changes")[row] < 0 { continue }
            if let incomplete = incomplete[row] {
                guard let last else {
                    unknown.append(incomplete)
                    continue
                }
                for field in incomplete.missing { values[field] = last[field] }
            }
            rows[key] = values
        }
        var expected = try recording.expected()
        if identity == "default" { expected[["22"]] = nil }
        #expect(Set(rows.keys) == Set(expected.keys.map { $0[0] }))
        for (key, row) in expected { #expect(rows[key[0]] == row) }
        #expect(unknown.map(\.missing) == (identity == "default" ? [[2, 3, 4, 5, 6]] : []))
        #expect(unknown.allSatisfy { $0.topic == "docs" && $0.key != nil && $0.value != nil })
    }

    private func texts(_ batch: Batch, _ row: Int, count: Int) -> [String?] {
        batch.columns.prefix(count).map { column in
            guard column.isValid(row) else { return nil }
            var text: [UInt8] = []
            ValueText.append(column, row: row, to: &text)
            return String(decoding: text, as: UTF8.self)
        }
    }

    /// Without a schema `timestamp_format` says what numbers are: in `connect` mode all are ms.
    @Test func timestampFormatSaysWhatNumbersAre() throws {
        let recording = try #require(
            Recording.all.first { $0.table == "t_time" && $0.runs == ["precise_adaptive.schema"] })
        let plain = try recording.messages("precise_connect.plain")
        let withSchema = try recording.messages("precise_connect.schema")
        let read = try decoder(
            recording.columns, kind: .debeziumJSON, key: ["id"], timestamps: .unixMilliseconds
        ).decode(plain, extractedAt: 0)
        let said = try decoder(recording.columns, kind: .debeziumJSON, key: ["id"])
            .decode(withSchema, extractedAt: 0)
        #expect(read.errors == [] && read.batch.rowCount > 15)
        #expect(read.batch.rowCount == said.batch.rowCount)
        for row in 0..<read.batch.rowCount {
            #expect(texts(read.batch, row, count: 9) == texts(said.batch, row, count: 9))
        }
        let refused = try decoder(
            [("id", .integer), ("ts", .timestamp)], kind: .debeziumJSON, key: ["id"],
            timestamps: .iso8601
        ).decode(plain, extractedAt: 0)
        #expect(refused.errors.contains { $0.reason == .wrongType && $0.constraint == "after.ts" })
    }
}
