// Outputs against the reference: up to where each says it stands, and whole at the end.

import Contracts
import DeltaTable
import KafkaIO
import Progress

extension History {
    private func reference(
        upTo offsets: [PartitionOffset]?, hasEnded: Bool
    ) -> Reference {
        let sources = topology.sources.enumerated().map { number, source in
            let name = RandomTopology.sourceName(number)
            let topic = topics[name].required("a topic")
            let partitions = topic.counted { partition in
                guard let offsets else { return nil }
                return offsets.first {
                    $0.source == name && $0.partition == String(partition)
                }?.next ?? 0
            }
            return ReferenceInput.Source(
                watermarkDelay: source.watermarkDelay, partitions: partitions)
        }
        return Reference(
            ReferenceInput(columns: topology.columns, sources: sources, hasEnded: hasEnded))
    }

    // MARK: The end

    func compareEnd() throws {
        let reference = reference(upTo: nil, hasEnded: true)
        cluster.settle()
        for id in cluster.ownOpenTransactions {
            result.differences.append("a transaction of \(id) is left open")
        }
        for (index, query) in topology.queries.enumerated() {
            let expected = reference.rows(of: query)
            note(query, expected)
            let name = RandomTopology.name(index)
            if topology.isLoose(query) {
                try compareLoosely(query, name, reference)
            } else {
                note(name, try found(query, name), expectedRows(query, expected))
            }
        }
        let late = topology.queries.map(reference.late)
        let isLoose = topology.queries.contains(where: topology.isLoose)
        if !isLoose, topology.queries.count(where: { $0.window != nil }) <= 1 {
            note("lost", try tables["lost"].required("a table").rows(), late.flatMap { $0 })
        }
        let failing = topology.queries.reduce(0) { $0 + reference.failing($1) }
        let refused =
            reference.refused(Set(topology.readSources))
            + Array(repeating: "\(nullText)|\(nullText)|\(nullText)", count: failing)
        if failing > 0 { result.features.insert(.failingRow) }
        // Equal queries are one operator.
        let dividing = topology.queries.count { query in
            if case .divide = query.shape { true } else { false }
        }
        if dividing <= 1 { note("refused", try foundRefused(), refused) }
        compareMarkers()
        noteRows(late.flatMap { $0 }, refused)
    }

    /// Where partitions step out the clock shows in the rows. Each row is in one window or late all
    /// the same, and no window comes twice.
    private func compareLoosely(
        _ query: RandomQuery, _ name: String, _ reference: Reference
    ) throws {
        let lost = try tables["lost"].required("a table").rows()
        let isOnlyWindow = topology.queries.count(where: { $0.window != nil }) == 1
        guard query.sink == .delta, isOnlyWindow, case .window(let window, let keys, _) = query.shape
        else { return }
        let rows = try found(query, name).map {
            $0.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        }
        let windows = rows.map { Array($0[..<(2 + keys.count)]) }
        if Set(windows).count != windows.count {
            result.differences.append("\(name): a window comes twice")
        }
        let late = lost.count { $0.hasSuffix("|late") || $0.hasSuffix("|idle_late") }
        if lost.contains(where: { $0.hasSuffix("|idle_late") }) {
            result.features.insert(.idleLateRow)
        }
        switch window {
        case .hop, .cumulate: return
        case .tumble, .session: break
        }
        let counted = rows.reduce(0) { $0 + (Int($1[2 + keys.count]) ?? 0) }
        guard counted + late != reference.rowCount(of: query) else { return }
        result.differences.append(
            "\(name): \(counted) rows in windows and \(late) late of "
                + "\(reference.rowCount(of: query))")
    }

    // MARK: Where outputs stand

    /// Each output holds exactly what the offsets of its newest marker say.
    func comparePrefix() throws {
        guard !hadLoss, let pipelineID = try directory.pipelineID() else { return }
        let progress = try newestProgress(pipelineID)
        for (index, query) in topology.queries.enumerated() {
            let name = RandomTopology.name(index)
            let offsets =
                query.sink == .delta
                ? try tables[name].required("a table")
                    .offsets(pipelineID: pipelineID, sink: name) : progress
            if topology.isLoose(query) { continue }
            let found = try found(query, name).sorted()
            guard let offsets else {
                if !found.isEmpty { note("\(name) before its first epoch", found, []) }
                continue
            }
            let reference = reference(upTo: offsets, hasEnded: false)
            let expected = reference.minima(query, isBounded: isLast).map {
                expectedRows(query, reference.rows(of: query, minimum: $0)).sorted()
            }
            if expected.contains(found) { continue }
            note("\(name) after process \(result.processes - 1)", found, expected[0])
        }
        compareMarkers()
    }

    private func newestProgress(_ pipelineID: String) throws -> [PartitionOffset]? {
        let own = cluster.landed("millrace.progress").last {
            $0.key == Array(pipelineID.utf8)
        }
        guard let value = own?.value else { return nil }
        return try (JSONValue(parsing: value)["offsets"]?.array ?? []).map { offset in
            PartitionOffset(
                source: (offset["source"]?.string).required("a source"),
                partition: (offset["partition"]?.string).required("a partition"),
                next: (offset["next"]?.int64).required("a position"), fingerprint: nil,
                highestTime: 0, end: nil)
        }
    }

    /// Each epoch stands in the cluster once, and they ascend.
    private func compareMarkers() {
        var last: (Int64, Int64) = (0, 0)
        for record in cluster.landed("millrace.progress") where record.key != Array("foreign".utf8) {
            guard let value = record.value, let json = try? JSONValue(parsing: value),
                let generation = json["generation"]?.int64, let epoch = json["epoch"]?.int64
            else { continue }
            if (generation, epoch) <= last {
                result.differences.append("epoch \(epoch) stands in the cluster behind \(last.1)")
            }
            last = (generation, epoch)
        }
    }

    // MARK: Rows

    private func expectedRows(_ query: RandomQuery, _ rows: [[Cell]]) -> [RowText] {
        if query.sink == .delta {
            return rows.map { $0.map(\.stored).joined(separator: "|") }
        }
        return rows.map { row in
            let fields = zip(query.columns, row).map { "\"\($0)\":\($1.json)" }
            return "{" + fields.joined(separator: ",") + "}"
        }
    }

    private func found(_ query: RandomQuery, _ name: String) throws -> [RowText] {
        if query.sink == .delta { return try tables[name].required("a table").rows() }
        let records = cluster.landed(name)
        if query.sink == .changelog { return try folded(records.compactMap(\.value), name) }
        guard RandomQuery.isUpdating(query.shape) else {
            return records.map { String(decoding: $0.value ?? [], as: UTF8.self) }
        }
        var live: [[UInt8]: [UInt8]] = [:]
        for record in records { live[record.key ?? []] = record.value }
        return live.values.map { String(decoding: $0, as: UTF8.self) }
    }

    /// A changelog's rows: nothing is taken back that is not there.
    private func folded(_ values: [[UInt8]], _ name: String) throws -> [RowText] {
        var live: [RowText: Int] = [:]
        for value in values {
            let text = String(decoding: value, as: UTF8.self)
            let isCreation = text.hasSuffix(",\"op\":\"c\"}")
            let row =
                isCreation
                ? text.dropFirst("{\"before\":null,\"after\":".count).dropLast(10)
                : text.dropFirst("{\"before\":".count).dropLast(",\"after\":null,\"op\":\"d\"}".count)
            live[String(row), default: 0] += isCreation ? 1 : -1
            if live[String(row), default: 0] < 0 {
                result.differences.append("\(name) takes back \(row), which is not there")
            }
        }
        return live.flatMap { Array(repeating: $0.key, count: max(0, $0.value)) }
    }

    private func foundRefused() throws -> [RowText] {
        guard topology.deadLettersAreRecords else {
            return try tables["refused"].required("a table").rows()
        }
        return cluster.landed("dead").map { record in
            ["topic", "partition", "offset"].map { name in
                record.headers.first { $0.name == "millrace.\(name)" }?.value
                    .map { String(decoding: $0, as: UTF8.self) } ?? nullText
            }.joined(separator: "|")
        }
    }

    private func note(_ name: String, _ found: [RowText], _ expected: [RowText]) {
        let (found, expected) = (found.sorted(), expected.sorted())
        guard found != expected else { return }
        let (missing, extra) = (expected.subtracting(found), found.subtracting(expected))
        result.differences.append(
            "\(name): \(missing.count) rows missing, \(extra.count) too many: "
                + "missing \(missing.prefix(3)), too many \(extra.prefix(3))")
    }

    // MARK: Counters

    private func note(_ query: RandomQuery, _ expected: [[Cell]]) {
        guard !expected.isEmpty else { return }
        switch query.shape {
        case .windowOfWindow: result.features.insert(.secondWindow)
        case .group, .groupOfGroup, .unionOfGroups: result.features.insert(.retraction)
        case .window(_, _, true): result.features.insert(.earlyResult)
        case .keyedRows, .keyedGroup: result.features.insert(.keyedRemoval)
        default: break
        }
        if !query.isKeyed, case .union = query.relation { result.features.insert(.union) }
        if query.sink == .kafka { result.features.insert(.kafkaOutput) }
        if query.sink == .changelog { result.features.insert(.changelog) }
    }

    private func noteRows(_ late: [RowText], _ refused: [RowText]) {
        if late.contains(where: { $0.hasSuffix("|late") }) { result.features.insert(.lateRow) }
        if late.contains(where: { $0.hasSuffix("|part_late") }) {
            result.features.insert(.partLateRow)
        }
        if refused.isEmpty { return }
        result.features.insert(.refusedRow)
        if topology.deadLettersAreRecords { result.features.insert(.deadRecord) }
    }

    func noteCluster() {
        if tables.values.contains(where: { $0.lostRaces > 0 }) { result.features.insert(.lostRace) }
        if cluster.timeouts > 0 { result.features.insert(.transactionTimeout) }
        if cluster.fencings > 0 { result.features.insert(.fencedProducer) }
        if cluster.hiddenReads > 0 { result.features.insert(.hiddenRecord) }
    }
}

extension [RowText] {
    /// What is here more often than there.
    fileprivate func subtracting(_ other: [RowText]) -> [RowText] {
        var counts: [RowText: Int] = [:]
        for row in other { counts[row, default: 0] += 1 }
        return filter { row in
            counts[row, default: 0] -= 1
            return counts[row, default: 0] < 0
        }
    }
}
