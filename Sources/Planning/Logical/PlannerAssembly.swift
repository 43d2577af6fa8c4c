// The plan from its parts: sources, nodes, sinks, dead-letter and late tables, notes.

import Contracts
import Kernels
import SQLSyntax
import Types

extension PlanningRun {
    func finish(_ drafts: [OutputDraft]) throws(Failure) -> Plan {
        let roots = rewritten(drafts.map(\.root))
        var outputs: [OutputPlan] = []
        var names = drafts.map(\.name.text)
        // Modes are judged before a node is made: their messages name the text.
        var modes: [OutputMode] = []
        for draft in drafts { modes.append(try draft.mode()) }
        var sinks: [SinkConnector] = []
        for (draft, mode) in zip(drafts, modes) {
            sinks.append(try draft.options.makeSink(schema: draft.schema, key: mode.key))
        }
        let sideTables = try sideTables(drafts, readBy: roots)
        names += sideTables.map(\.name.text)
        let lowering = Lowering(roots: roots, lateTables: try lateTables(roots, outputs: names))
        for (index, draft) in drafts.enumerated() {
            lowering.output = draft.name.text
            let top = lowering.lower(roots[index])
            let hash = addSink(index, draft, modes[index], sinks[index], over: top, lowering)
            outputs.append(
                try output(draft, modes[index], sinks[index], id: hash, outputs: names))
        }
        if let refusal = lowering.refusal { throw refusal }
        for table in sideTables { outputs.append(try sideOutput(table, outputs: names)) }
        var sources: [SourcePlan] = []
        for source in lowering.sources {
            if let table = source.table {
                sources.append(
                    try table.makeSourcePlan(
                        readColumns: source.columns, outputIndex: { names.firstIndex(of: $0) }))
            } else if let values = source.values {
                sources.append(.values(values.rows, schema: values.schema))
            }
        }
        let notes = builder.notes + planNotes(lowering, sources, drafts, modes)
        return Plan(
            name: catalog.settings.applicationName ?? name, settings: catalog.settings,
            sources: sources,
            nodes: lowering.graph.finished(mergesProjections: options.isOptimizerOn),
            outputs: outputs, notes: notes)
    }

    private func addSink(
        _ index: Int, _ draft: OutputDraft, _ mode: OutputMode, _ connector: SinkConnector,
        over top: Lowered, _ lowering: Lowering
    ) -> UInt64 {
        var hash = OperatorHash()
        hash.combine(draft.name.text)
        hash.combine(top.hash)
        _ = lowering.graph.add(
            .sink(index), text: "sink \(draft.name.text)", inputs: [top], schema: draft.schema,
            exchange: [draft.exchange(mode, connector)], change: draft.root.change,
            place: draft.name.place)
        return hash.value
    }

    private func output(
        _ draft: OutputDraft, _ mode: OutputMode, _ connector: SinkConnector, id: UInt64,
        outputs: [String]
    ) throws(Failure) -> OutputPlan {
        let chosen = draft.chosen
        return OutputPlan(
            name: draft.name.text, connector: connector, schema: draft.schema, mode: mode,
            constraints: draft.constraints
                + connector.constraints(draft.schema, place: draft.name.place),
            onError: chosen.onError,
            deadLetterTopic: chosen.deadLetterTopic,
            deadLetterOutput: chosen.deadLetterTable.flatMap(outputs.firstIndex),
            commitIntervalMicroseconds: chosen.commitInterval
                ?? catalog.settings.checkpointIntervalMicroseconds,
            outputID: id, place: draft.name.place)
    }

    // MARK: Tables that take dead letters and late rows

    /// Tables of the file that options name and no INSERT writes.
    private func sideTables(
        _ drafts: [OutputDraft], readBy roots: [LogicalNode]
    ) throws(Failure) -> [DeclaredTable] {
        var named = drafts.flatMap { $0.options.sideTableNames }
        var read: Set<String> = []
        for root in roots {
            root.visitScans {
                named +=
                    read.insert($0.name.text).inserted
                    ? $0.options.sideTableNames : []
            }
        }
        var tables: [DeclaredTable] = []
        var known = Set(drafts.map(\.name.text))
        for (name, place) in named where known.insert(name).inserted {
            guard case .table(let table) = try catalog.relation(Name(name, place: place)) else {
                throw Failure(
                    .invalid, "option.not_a_table", "\"\(name)\" is no table of this file",
                    place: place)
            }
            tables.append(table)
        }
        return tables
    }

    /// The tables that sources which are read name as `late`.
    private func lateTables(
        _ roots: [LogicalNode], outputs: [String]
    ) throws(Failure) -> [String: LateTable] {
        var named: Set<String> = []
        for root in roots { root.visitScans { if let late = $0.lateTable { named.insert(late) } } }
        var tables: [String: LateTable] = [:]
        for name in named.sorted() {
            let place = SourcePlace(file: "", offset: 0)
            guard let output = outputs.firstIndex(of: name),
                case .table(let table) = try catalog.relation(Name(name, place: place))
            else { continue }
            tables[name] = LateTable(output: output, table: table)
        }
        return tables
    }

    private func sideOutput(
        _ table: DeclaredTable, outputs: [String]
    ) throws(Failure) -> OutputPlan {
        let draft = OutputDraft(
            name: table.name, root: .scan(table), schema: table.schema, options: table.options,
            settings: table.settings, declaredKey: nil, constraints: [], hasBranches: false)
        let connector = try table.options.makeSink(schema: table.schema, key: nil)
        var hash = OperatorHash()
        hash.combine(table.name.text)
        return try output(draft, .append, connector, id: hash.value, outputs: outputs)
    }
}

extension OutputMode {
    /// The key that a sink writes by; nil: append.
    var key: [Int]? {
        switch self {
        case .append: nil
        case .upsert(let key), .changelog(let key): key
        }
    }
}

extension OptionValues {
    fileprivate var sideTableNames: [(name: String, place: SourcePlace)] {
        ["late", "dead_letter"].compactMap { option in
            guard let value = given[option] else { return nil }
            switch value.value {
            case .text(let name): return (name, value.place)
            case .names(let names): return names.first.map { ($0, value.place) }
            default: return nil
            }
        }
    }
}

extension LogicalNode {
    func visitScans(_ visit: (DeclaredTable) -> Void) {
        if case .scan(let table) = kind { visit(table) }
        inputs.forEach { $0.visitScans(visit) }
    }
}

extension SourcePlan {
    /// Rows that stand in the text: one partition, read at once.
    static func values(_ rows: [[Scalar]], schema: Schema) -> SourcePlan {
        SourcePlan(
            name: "values", connector: .values(rows: rows), format: SourceFormat(kind: .columns),
            decoded: schema.fields.enumerated().map {
                DecodedColumn(.field(name: $1.name, position: $0), $1.type)
            },
            computed: schema.fields.enumerated().map { .column($0, $1.type) }, schema: schema,
            constraints: [], primaryKey: [], eventTime: nil, watermarkDelay: 0, idleTimeout: nil,
            maxAhead: nil, onError: .fail, deadLetterTopic: nil, deadLetterOutput: nil,
            lateOutput: nil, place: nil)
    }
}

// MARK: Notes

extension PlanningRun {
    /// What `validate` tells without refusing.
    fileprivate func planNotes(
        _ lowering: Lowering, _ sources: [SourcePlan], _ drafts: [OutputDraft],
        _ modes: [OutputMode]
    ) -> [PlanNote] {
        var notes: [PlanNote] = []
        let hasWindows = lowering.graph.nodes.contains { node in
            if case .windowAggregate = node.kind { return true }
            return false
        }
        for (source, entry) in zip(sources, lowering.sources) {
            guard let table = entry.table else { continue }
            notes += sourceNotes(source, table, hasWindows: hasWindows)
        }
        for node in lowering.graph.nodes {
            if let note = node.stateNote { notes.append(note) }
            if let note = node.clockNote { notes.append(note) }
        }
        for (draft, mode) in zip(drafts, modes) {
            guard mode.key != nil, !draft.root.change.isUpdating || draft.hasBranches else {
                continue
            }
            notes.append(
                PlanNote(
                    "\(draft.name.text): of rows with one key from several partitions or branches "
                        + "the last to arrive wins: not deterministic", place: draft.name.place))
        }
        return notes
    }

    private func sourceNotes(
        _ source: SourcePlan, _ table: DeclaredTable, hasWindows: Bool
    ) -> [PlanNote] {
        var notes: [PlanNote] = []
        if source.eventTime != nil, table.options.given["watermark_delay"] == nil {
            notes.append(
                PlanNote(
                    "\(source.name): watermark_delay is 0: a row behind the highest event time of "
                        + "its partition may be late", place: source.place))
        }
        if hasWindows, source.eventTime != nil, source.idleTimeout == nil {
            notes.append(
                PlanNote(
                    "\(source.name): no idle_timeout: a partition without rows holds every window "
                        + "back", place: source.place))
        }
        if source.format.kind == .json, !source.format.isStrictJSON {
            notes.append(
                PlanNote(
                    "\(source.name): what stands behind the last wanted field of a message is not "
                        + "checked (strict_json = 'true' does)", place: source.place))
        }
        return notes
    }
}

extension PlanNode {
    /// Windows that other ones are made of have told it.
    fileprivate var clockNote: PlanNote? {
        guard let window, window.isByClock else { return nil }
        if case .existing = window.kind { return nil }
        return PlanNote(
            "a window over _extracted_at is closed by the clock: another run, or a replay, gives "
                + "other windows (_timestamp, the record's own time, gives the same)",
            place: place)
    }

    fileprivate var stateNote: PlanNote? {
        switch kind {
        case .aggregate(let aggregate) where !aggregate.keys.isEmpty:
            PlanNote(
                "an aggregate without a window keeps every key: state grows with the keys",
                place: place)
        case .distinct:
            PlanNote(
                "DISTINCT without a window keeps every value: state grows with the values",
                place: place)
        default: nil
        }
    }
}
