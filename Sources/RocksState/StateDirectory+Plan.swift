// The plan that the state belongs to, and what an edited topology changes in the state.

public import Contracts
import Environment
public import Progress

/// What is written when a plan is taken that is not the stored one.
public struct PlanAcceptance: Sendable {
    /// The new plan's bytes.
    public var plan: [UInt8]
    /// Operators whose state goes.
    public var removed: Set<UInt64> = []
    /// Operators whose state stays.
    public var kept: Set<UInt64> = []
    /// Targets that go on under another id: their output's query was edited.
    public var renamed: [TargetID: TargetID] = [:]
    /// Whether state is dropped: the next generation begins (design.md §3.1).
    public var isReset = false

    public init(plan: [UInt8]) { self.plan = plan }
}

extension StateDirectory {
    /// nil: a fresh directory, or an earlier build's.
    public func storedPlan() throws(Failure) -> [UInt8]? { try store.get(StateKeys.plan) }

    /// What an operator has stored.
    public func stored(of operatorID: UInt64) throws(Failure) -> (entries: Int, bytes: Int) {
        var prefix = RecordWriter()
        prefix.raw(StateKeys.state)
        prefix.fixed64(operatorID)
        var found = (entries: 0, bytes: 0)
        try store.forEach(prefix: prefix.bytes) { (key, value) throws(Failure) in
            found.entries += 1
            found.bytes += key.count + value.count
            return true
        }
        return found
    }

    /// Takes a plan, in one write. Returns the directory under its identity from now on.
    public func accept(_ acceptance: PlanAcceptance) throws(Failure) -> StateDirectory {
        let next = Identity(
            pipelineID: identity.pipelineID,
            generation: identity.generation + (acceptance.isReset ? 1 : 0),
            incarnation: identity.incarnation)
        var batch = RocksBatch()
        batch.put(StateKeys.plan, acceptance.plan)
        // What is in the outputs is no longer what this plan makes of the offsets.
        let isEdited = try storedPlan() != nil
        if isEdited { batch.delete(prefix: StateKeys.beginnings) }
        for operatorID in acceptance.removed.sorted() {
            var prefix = RecordWriter()
            prefix.raw(StateKeys.state)
            prefix.fixed64(operatorID)
            batch.delete(prefix: prefix.bytes)
        }
        if isEdited, var record = try currentEpoch() {
            for operatorID in acceptance.removed { record.minima[operatorID] = nil }
            record.counters = StateDirectory.rebased(record.counters, keeping: acceptance.kept)
            batch.put(StateKeys.current, record.encoded())
        }
        for (old, new) in acceptance.renamed.sorted(by: { $0.key < $1.key }) {
            try rename(old, to: new, in: &batch)
        }
        if acceptance.isReset {
            batch.put(StateKeys.identity, StateDirectory.encode(next))
            _ = try StateDirectory.noteStart(next, in: store, &batch)
        }
        Failpoint.pass("state.before_plan")
        try store.write(batch)
        Failpoint.pass("state.plan_accepted")
        return StateDirectory(
            path: path, identity: next, store: store, lock: lock, leftovers: leftovers)
    }

    /// Operators are counted anew from here on: what a kept one holds, it was made with, so that
    /// conservation can still be checked. Sources and outputs are counted on.
    private static func rebased(
        _ counters: [String: Int64], keeping kept: Set<UInt64>
    ) -> [String: Int64] {
        var result = counters.filter { name, _ in
            if name.hasPrefix("operator:") { return false }
            guard name.hasPrefix("output:") else { return true }
            return name.hasSuffix(".rows") || name.hasSuffix(".digest")
        }
        for operatorID in kept {
            let name = "operator:" + String(operatorID, radix: 16)
            guard let held = counters["\(name).held"], held != 0 else { continue }
            result["\(name).held"] = held
            result["\(name).made"] = held
        }
        return result
    }

    private func rename(
        _ old: TargetID, to new: TargetID, in batch: inout RocksBatch
    ) throws(Failure) {
        for letter in [StateKeys.intents, StateKeys.trims, StateKeys.adopted, StateKeys.dropped] {
            let prefix = StateKeys.target(letter, old)
            var moved: [(key: [UInt8], value: [UInt8])] = []
            try store.forEach(prefix: prefix) { (key, value) throws(Failure) in
                moved.append((StateKeys.target(letter, new) + key.dropFirst(prefix.count), value))
                return true
            }
            if moved.isEmpty { continue }
            batch.delete(prefix: prefix)
            for entry in moved { batch.put(entry.key, entry.value) }
        }
    }
}
