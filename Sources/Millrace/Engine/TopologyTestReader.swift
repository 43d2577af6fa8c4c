// Statements of a test file to the steps of its cases.

import Contracts
import Kernels
import Planning
import SQLSyntax
import Types

struct TopologyTestReader {
    private let plan: Plan
    private let statements: [Statement]
    private let values: TopologyTestValues
    private let path: String
    private var cases: [TopologyTestCase] = []

    init(
        _ topology: LoadedTopology, settings: [SettingOverride], path: String
    ) throws(Failure) {
        plan = topology.plan
        statements = topology.statements
        values = try TopologyTestValues(topology.statements, LoadedTopology.options(settings))
        self.path = path
    }

    mutating func read(_ statement: Statement) throws(Failure) {
        let place = statement.place
        switch statement.kind {
        case .set(let set): try read(set.option, place)
        case .checkpoint: try add(.checkpoint, place)
        case .insert(let insert): try read(insert, place)
        default:
            throw Failure(
                .invalid, "test.statement",
                "a test has SET test, INSERT INTO, SET watermark.<source>, CHECKPOINT and "
                    + "SET finish",
                hint: "declarations belong to the topology", place: place)
        }
    }

    func finish() throws(Failure) -> [TopologyTestCase] {
        guard !cases.isEmpty else {
            throw Failure(
                .invalid, "test.empty", "\(path) holds no test",
                hint: "begin one with SET test = 'what it shows';")
        }
        for test in cases where !test.steps.contains(where: { $0.action.isExpectation }) {
            throw Failure(
                .invalid, "test.no_expectation", "the test '\(test.name)' expects nothing",
                hint: "INSERT INTO <output> VALUES … says which rows must have come",
                place: test.place)
        }
        return cases
    }

    private mutating func add(
        _ action: TopologyTestCase.Action, _ place: SourcePlace
    ) throws(Failure) {
        guard !cases.isEmpty else {
            throw Failure(
                .invalid, "test.no_name", "this stands before the first test",
                hint: "begin with SET test = 'what it shows';", place: place)
        }
        let last = cases.count - 1
        if case .finish? = cases[last].steps.last(where: { $0.action.feeds })?.action,
            action.feeds
        {
            throw Failure(
                .invalid, "test.finished", "the input of this test has ended already",
                hint: "begin another with SET test = '…'", place: place)
        }
        cases[last].steps.append(.init(action: action, place: place))
    }

    // MARK: SET

    private mutating func read(_ option: OptionSyntax, _ place: SourcePlace) throws(Failure) {
        let name = option.name.text
        if name == "test" {
            guard !cases.contains(where: { $0.name == option.value }) else {
                throw Failure(
                    .invalid, "test.name_twice", "there are two tests '\(option.value)'",
                    place: place)
            }
            cases.append(TopologyTestCase(name: option.value, place: place))
        } else if name == "finish" {
            guard ["on", "true"].contains(option.value) else {
                throw Failure(
                    .invalid, "test.finish", "SET finish = on ends the input", place: place)
            }
            try add(.finish, place)
        } else if name.hasPrefix("watermark.") {
            let source = try source(
                Name(String(name.dropFirst("watermark.".count)), place: option.name.place))
            guard let delay = delay(source) else {
                throw Failure(
                    .invalid, "test.no_time",
                    "\(plan.sources[source].name) has no event time", place: place)
            }
            let time = try values.time(option.value, option.valuePlace)
            try add(.watermark(source: source, time: time &+ delay), place)
        } else {
            throw Failure(
                .invalid, "test.setting", "a test has no setting \"\(name)\"",
                hint: "test, watermark.<source> and finish; others go to --set", place: place)
        }
    }

    private func delay(_ source: Int) -> Int64? {
        plan.sources[source].eventTime.map { _ in plan.sources[source].watermarkDelay }
    }

    private func source(_ name: Name) throws(Failure) -> Int {
        if let index = plan.sources.firstIndex(where: { $0.name == name.text }) { return index }
        throw unknown(name, plan.sources.map(\.name))
    }

    private func unknown(_ name: Name, _ known: [String]) -> Failure {
        let isDeclared = statements.contains { statement in
            if case .createTable(let table) = statement.kind { return table.name.text == name.text }
            return false
        }
        return Failure(
            .invalid, "test.relation_unknown",
            isDeclared
                ? "nothing of the topology reads \"\(name.text)\""
                : "the topology has no \"\(name.text)\" that is read or written",
            hint: nearestName(to: name.text, among: known).map { "did you mean \"\($0)\"?" },
            place: name.place)
    }

    // MARK: INSERT

    private mutating func read(_ insert: Insert, _ place: SourcePlace) throws(Failure) {
        let name = insert.table
        if let source = plan.sources.firstIndex(where: { $0.name == name.text }) {
            return try add(.rows(try rows(insert, source)), place)
        }
        let topics = plan.sources.map(\.deadLetterTopic) + plan.outputs.map(\.deadLetterTopic)
        let target: TopologyTestExpectation.Target
        let fields: [Field]
        if let output = plan.outputs.firstIndex(where: { $0.name == name.text }) {
            target = .output(output)
            fields = plan.outputs[output].schema.fields
        } else if topics.contains(name.text) {
            target = .topic(name.text)
            fields = TopologyTestLetters.schema.fields
        } else {
            throw unknown(
                name,
                plan.sources.map(\.name) + plan.outputs.map(\.name) + topics.compactMap { $0 })
        }
        try add(.expect(try expectation(insert, target, fields)), place)
    }

    private func expectation(
        _ insert: Insert, _ target: TopologyTestExpectation.Target, _ fields: [Field]
    ) throws(Failure) -> TopologyTestExpectation {
        let known = fields + [TopologyTestValues.change]
        let wanted = try columns(insert, default: fields, known)
        let rows = try values.rows(insert.query, wanted)
        let position = wanted.firstIndex { $0 == TopologyTestValues.change }
        guard let position else {
            return TopologyTestExpectation(
                target: target, fields: wanted, rows: rows, changes: nil)
        }
        var compared = wanted
        compared.remove(at: position)
        let changes = try rows.map { (row) throws(Failure) in
            try change(row[position], insert.table.place)
        }
        let plain = rows.map { row in
            var row = row
            row.remove(at: position)
            return row
        }
        return TopologyTestExpectation(
            target: target, fields: compared, rows: plain, changes: changes)
    }

    private func change(_ value: Scalar, _ place: SourcePlace) throws(Failure) -> Int8 {
        switch value {
        case .int64(1): return 1
        case .int64(-1): return -1
        default:
            throw Failure(.invalid, "test.change", "_change is 1 or -1", place: place)
        }
    }

    private func rows(_ insert: Insert, _ source: Int) throws(Failure) -> TopologyTestRows {
        let plan = plan.sources[source]
        let generated = generatedColumns(plan.name)
        let declared = plan.format.declared.filter { !generated.contains($0.name) }
        var known = declared + TopologyTestValues.metadata
        if !plan.primaryKey.isEmpty { known.append(TopologyTestValues.change) }
        let wanted = try columns(insert, default: declared, known)
        let rows = try values.rows(insert.query, wanted)
        var found: [TopologyTestRows.Row] = []
        for row in rows {
            var named: [String: Scalar] = [:]
            for (field, value) in zip(wanted, row) { named[field.name] = value }
            var partition = 0
            if case .int64(let number)? = named["_partition"] {
                guard (0..<1_000).contains(number) else {
                    throw Failure(
                        .invalid, "test.partition", "_partition is 0 to 999",
                        place: insert.table.place)
                }
                partition = Int(number)
            }
            let sign = try named["_change"].map { (value) throws(Failure) in
                try change(value, insert.table.place)
            }
            found.append(.init(partition: partition, change: sign ?? 1, values: named))
        }
        return TopologyTestRows(source: source, rows: found)
    }

    private func generatedColumns(_ table: String) -> Set<String> {
        for case .createTable(let declared) in statements.map(\.kind)
        where declared.name.text == table {
            return Set(declared.columns.filter { $0.generated != nil }.map(\.name.text))
        }
        return []
    }

    private func columns(
        _ insert: Insert, default all: [Field], _ known: [Field]
    ) throws(Failure) -> [Field] {
        guard !insert.columns.isEmpty else { return all }
        var columns: [Field] = []
        for name in insert.columns {
            guard let field = known.first(where: { $0.name == name.text }) else {
                let nearest = nearestName(to: name.text, among: known.map(\.name))
                throw Failure(
                    .invalid, "test.column_unknown",
                    "\"\(insert.table.text)\" takes no column \"\(name.text)\" here",
                    hint: nearest.map { "did you mean \"\($0)\"?" }, place: name.place)
            }
            columns.append(field)
        }
        return columns
    }
}

extension TopologyTestCase.Action {
    var isExpectation: Bool {
        if case .expect = self { return true }
        return false
    }

    /// Whether it gives input.
    var feeds: Bool {
        switch self {
        case .rows, .watermark, .finish: true
        case .checkpoint, .expect: false
        }
    }
}
