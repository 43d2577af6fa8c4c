// Records of a keyed source to changes: the last row of each key is kept, so that a record's −1 is
// always exactly the row that stands (dialect.md §2.4).
//
// A record that says what stands already, and a delete of an unknown key, are merged. A record that
// leaves values out is made whole from the last row; one that cannot be, or that then breaks the
// contract, is dead and leaves the last row standing. Conservation: in = merged + dead + Δheld, a
// standing row being held; the changes are made and out.
//
// State: key → version · hash · row.

import Columns
import Contracts
import Kernels
import Planning
import State
import Types

final class UpsertSourceOperator: Operator, Evictable {
    private let operatorID: UInt64
    private let keys: [Int]
    private let names: [String]
    private let codec: RowCodec
    private let completion: RowCompletion?
    private(set) var table: GroupTable
    private(set) var residency = Residency()
    private var stored: StoredState?
    private var rows = ByteSlots()
    private var isPresent: [Bool] = []
    /// Keys with a row, in memory or in the store.
    private var presentCount: Int64 = 0

    init(_ plan: UpsertSource, node: PlanNode) {
        operatorID = node.operatorID
        keys = plan.keys
        names = node.schema.fields.map(\.name)
        completion = plan.completion
        codec = RowCodec(node.schema.types, form: .exact)
        table = GroupTable(plan.keys.map { node.schema[$0].type })
    }

    func push(_ given: Batch, input: Int, into output: inout OperatorOutput) {
        output.counters.rowsIn += Int64(given.rowCount)
        let incomplete = completion.map { CompletedRows($0, codec, names: names, given) }
        let batch =
            completion.map { given.replacing(columns: Array(given.columns[..<$0.column])) } ?? given
        let columns = keys.map { batch.columns[$0] }
        let all = (0..<Int32(batch.rowCount)).map { $0 }
        let groups = table.groups(
            columns, rowCount: batch.rowCount,
            hashes: KeyHash.hashes(columns, rowCount: batch.rowCount), rows: all)
        grow()
        // A key that no row is put under is forgotten at the snapshot.
        residency.mark(groups)
        do { try load(table.fresh) } catch { return output.fail(error) }
        let encoded = codec.encode(batch.columns, rowCount: batch.rowCount)
        var news = News(rowCount: batch.rowCount)
        for row in 0..<batch.rowCount {
            let group = groups[row]
            if batch.changes.map({ $0[row] < 0 }) ?? false {
                remove(group, &news, &output)
                continue
            }
            guard let incomplete, !incomplete.isEmpty else {
                put(encoded[row], at: Int32(row), group, &news, &output)
                continue
            }
            let last = isPresent[Int(group)] ? rows[Int(group)] : nil
            switch incomplete.complete(row, last: last) {
            case .isWhole: put(encoded[row], at: Int32(row), group, &news, &output)
            case .completed(let bytes): put(bytes[...], at: nil, group, &news, &output)
            case .refused(let record, let error):
                output.counters.dead += 1
                output.refused.append((record, error))
            }
        }
        emit(batch, news, into: &output)
    }

    /// The changes that a batch makes: rows of the batch, and behind them encoded ones.
    private struct News {
        let rowCount: Int
        var encoded: [ArraySlice<UInt8>] = []
        var picks: [Int32] = []
        var changes: [Int8] = []

        init(rowCount: Int) { self.rowCount = rowCount }

        mutating func add(_ change: Int8, _ row: Int32) {
            picks.append(row)
            changes.append(change)
        }

        mutating func add(_ change: Int8, _ bytes: ArraySlice<UInt8>) {
            add(change, Int32(rowCount + encoded.count))
            encoded.append(bytes)
        }
    }

    /// Puts a row under its key; `place`: its row of the batch, if it came whole.
    private func put(
        _ row: ArraySlice<UInt8>, at place: Int32?, _ group: Int32, _ news: inout News,
        _ output: inout OperatorOutput
    ) {
        let index = Int(group)
        if isPresent[index] {
            output.counters.merged += 1
            if rows[index] == row { return }
            news.add(-1, ArraySlice(Array(rows[index])))
        } else {
            presentCount += 1
        }
        rows.set(index, row)
        isPresent[index] = true
        if let place { news.add(1, place) } else { news.add(1, row) }
    }

    private func remove(_ group: Int32, _ news: inout News, _ output: inout OperatorOutput) {
        let index = Int(group)
        guard isPresent[index] else {
            output.counters.merged += 1
            return
        }
        output.counters.merged += 2
        news.add(-1, ArraySlice(Array(rows[index])))
        rows.clear(index)
        presentCount -= 1
        isPresent[index] = false
    }

    private func emit(_ batch: Batch, _ news: News, into output: inout OperatorOutput) {
        guard !news.picks.isEmpty else { return }
        do {
            let others = try codec.decode(news.encoded)
            let columns = zip(batch.columns, others).map {
                Column.concatenated([$0, $1]).gather(news.picks)
            }
            output.counters.made += Int64(news.picks.count)
            output.emit(
                Batch(rowCount: news.picks.count, columns: columns, changes: news.changes))
        } catch {
            bug("a kept row does not decode: \(error)")
        }
    }

    private func grow() {
        isPresent.grow(to: table.capacity, false)
        residency.grow(to: table.capacity)
    }

    private func stateKey(_ group: Int32) -> StateKey {
        StateKey(
            group: KeyGroups.group(ofHash: table.hash(of: group)),
            key: table.keyBytes(of: group))
    }

    /// Reads back the rows of those new groups that are in the store.
    private func load(_ fresh: [Int32]) throws {
        guard residency.evictedCount > 0, let stored else { return }
        var wanted: [(group: Int32, key: StateKey)] = []
        for group in fresh where residency.mayBeEvicted(table.hash(of: group)) {
            let place = stateKey(group)
            if !residency.isGone(place.key) { wanted.append((group, place)) }
        }
        try stored.forEachFound(wanted) { group, _, value in
            var entry = try stateValue(value)
            _ = try entry.word(width: 8)
            rows.set(Int(group), entry.rest)
            isPresent[Int(group)] = true
            residency.noteLoaded(group)
        }
    }

    func advance(to minimum: Int64, into output: inout OperatorOutput) {}
    func flush(into output: inout OperatorOutput) {}

    func snapshot() -> StateDelta {
        var delta = StateDelta(operatorID: operatorID)
        for group in residency.takeDirty() {
            let index = Int(group)
            let place = stateKey(group)
            if isPresent[index] {
                var value: [UInt8] = [RowCodec.version]
                value.appendWord(table.hash(of: group))
                value.append(contentsOf: rows[index])
                delta.put(group: place.group, key: place.key, value: value)
                residency.noteStored(group)
            } else {
                if residency.noteRemoved(group) {
                    delta.delete(group: place.group, key: place.key)
                    residency.noteGoneInFlight(place.key)
                }
                table.remove(group)
            }
        }
        return delta
    }

    func restore(
        from reader: any StateReader, groups: Range<Int>, minimum: Int64, memoryLimit: Int
    ) throws {
        stored = StoredState(reader: reader, operatorID: operatorID)
        var room = RestoreRoom(limit: memoryLimit)
        for group in groups {
            try reader.forEach(operatorID: operatorID, group: group) { key, value in
                var entry = try stateValue(value)
                let hash = try entry.word(width: 8)
                presentCount += 1
                if room.isFull({ residentBytes }) { return residency.noteLeftInStore(hash) }
                let slot = try table.group(hash: hash, key: key[...])
                grow()
                rows.set(Int(slot), entry.rest)
                isPresent[Int(slot)] = true
                residency.noteRestored(slot)
            }
        }
    }

    var byteCount: Int {
        table.byteCount + rows.byteCount + table.capacity * (13 + Residency.bytesPerGroup)
    }

    var dirtyBytes: Int { residency.dirtyCount * (byteCount / max(1, table.capacity)) }

    var held: HeldState {
        HeldState(rows: presentCount, keys: presentCount, bytes: Int64(byteCount))
    }
}

// Eviction.
extension UpsertSourceOperator {
    var residentBytes: Int { tableBytes }

    func evict(to target: Int) { EvictionPass.run([self], to: target) }

    func evict(_ group: Int32) {
        residency.noteEvicted(group, hash: table.hash(of: group))
        rows.clear(Int(group))
        isPresent[Int(group)] = false
        table.remove(group)
    }

    func release() {
        table = GroupTable(table.keyTypes)
        rows = ByteSlots()
        isPresent = []
        residency.release()
    }

    func noteDurable() { residency.noteDurable() }
}
