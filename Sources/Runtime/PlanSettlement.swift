// An edited topology meets the state of the one before it: what it did not change goes on, what it
// changed is refused with what was and what is, unless the user gives that state up
// (`run --reset-state`).

public import Connectors
public import Contracts
public import Planning
import Progress
public import RocksState

/// Compares a plan with the stored one, before anything runs.
public struct PlanSettlement {
    private let plan: Plan
    private let now: StoredPlan
    private let directory: StateDirectory
    /// Operators that the user named; `all` for all that don't fit.
    private let resets: [String]
    private let log: @Sendable (LogLine) -> Void

    public init(
        plan: Plan, directory: StateDirectory, resets: [String],
        log: @escaping @Sendable (LogLine) -> Void
    ) {
        self.plan = plan
        now = StoredPlan(plan)
        self.directory = directory
        self.resets = resets
        self.log = log
    }

    /// The directory to run on, under the next generation where state was dropped.
    public func settle() throws(Failure) -> StateDirectory {
        guard let bytes = try directory.storedPlan() else {
            if try directory.currentEpoch() != nil {
                log(LogLine(.info, "the state has no plan stored: an earlier build made it"))
            }
            try refuseNames(among: [])
            return try directory.accept(PlanAcceptance(plan: now.encoded()))
        }
        let was = try StoredPlan(decoding: bytes)
        let difference = PlanDifference(from: was, to: now)
        let misfits = try misfits(difference)
        let named = try named(was, misfits)
        try refuse(difference, misfits.filter { !named.contains($0.was.id) }, named)
        try refuseWaiting(difference)
        if was == now, named.isEmpty {
            if !resets.isEmpty {
                log(LogLine(.info, "--reset-state: all state fits, nothing to reset"))
            }
            return directory
        }
        var acceptance = PlanAcceptance(plan: now.encoded())
        acceptance.removed = named
        acceptance.kept = Set(now.operators.map(\.id)).subtracting(named)
        acceptance.isReset = !named.isEmpty
        for output in difference.editedOutputs where output.was.id != output.now.id {
            acceptance.renamed[output.was.id] = output.now.id
        }
        report(difference, named)
        return try directory.accept(acceptance)
    }

    /// State that the plan can't go on with.
    private struct Misfit {
        let was: StoredPlan.Operator
        let now: StoredPlan.Operator?
        let entries: Int
        let bytes: Int
    }

    /// An operator that has stored nothing is missed by nobody.
    private func misfits(_ difference: PlanDifference) throws(Failure) -> [Misfit] {
        var found: [Misfit] = []
        let all = difference.gone.map { ($0, nil as StoredPlan.Operator?) }
            + difference.changed.map { ($0.was, $0.now) }
        for (was, now) in all {
            let (entries, bytes) = try directory.stored(of: was.id)
            guard entries > 0 else { continue }
            found.append(Misfit(was: was, now: now, entries: entries, bytes: bytes))
        }
        return found
    }

    // MARK: What the user gives up

    /// Ids of the operators that `--reset-state` means.
    private func named(_ was: StoredPlan, _ misfits: [Misfit]) throws(Failure) -> Set<UInt64> {
        var ids: Set<UInt64> = []
        let known = was.operators + now.operators
        for reset in resets {
            if reset == "all" {
                ids.formUnion(misfits.map(\.was.id))
                continue
            }
            let number = Int(reset.hasPrefix("#") ? String(reset.dropFirst()) : "")
            let found = known.filter { candidate in
                if let number {
                    return plan.nodes.indices.contains(number)
                        && plan.nodes[number].operatorID == candidate.id
                }
                return candidate.name == reset
            }
            guard let first = found.first else { throw unknown(reset, among: known) }
            ids.insert(first.id)
        }
        return ids
    }

    private func refuseNames(among known: [StoredPlan.Operator]) throws(Failure) {
        if let name = resets.first(where: { $0 != "all" }) { throw unknown(name, among: known) }
    }

    private func unknown(_ name: String, among known: [StoredPlan.Operator]) -> Failure {
        var seen: Set<UInt64> = []
        let names = known.filter { seen.insert($0.id).inserted }
            .map { "\($0.name) (\($0.what))" }
        return Failure(
            .invalid, "state.reset_unknown", "there is no operator \(name) with state",
            hint: names.isEmpty
                ? "nothing is stored yet" : "there are \(names.joined(separator: ", "))")
    }

    // MARK: Refusals

    private func refuse(
        _ difference: PlanDifference, _ misfits: [Misfit], _ named: Set<UInt64>
    ) throws(Failure) {
        if let source = difference.moved.first {
            throw Failure(
                .invalid, "state.source_changed",
                "the source \(source.was.name) was \(source.was.place), now it is "
                    + "\(source.now.place): the stored offsets mean nothing there",
                hint: "declare it under another name: it is then read from its start")
        }
        guard !misfits.isEmpty else { return }
        var lines: [String] = []
        for misfit in misfits {
            let state = "\(misfit.entries) entries, \(misfit.bytes) bytes of state"
            if let now = misfit.now {
                lines.append("changed: \(misfit.was.what) [\(misfit.was.name)], \(state)")
                lines.append("     was: \(misfit.was.layout)")
                lines.append("      is: \(now.layout)")
            } else {
                lines.append("gone:    \(misfit.was.what) [\(misfit.was.name)], \(state)")
            }
        }
        for new in difference.new { lines.append("new:     \(new.what) [\(new.name)]") }
        let names = misfits.map { "--reset-state \($0.was.name)" }.joined(separator: " ")
        throw Failure(
            .invalid, "state.plan_changed",
            "the topology was edited, and the state in \(directory.path) does not fit it\n    "
                + lines.joined(separator: "\n    "),
            hint: "put the query back; or run it with a new --state into new outputs; or go on "
                + "without that state: \(names) (or all)")
    }

    /// Epochs that wait for an output are of its old form.
    private func refuseWaiting(_ difference: PlanDifference) throws(Failure) {
        let edited = difference.editedOutputs.filter { $0.was.form != $0.now.form }.map(\.was)
        for output in difference.goneOutputs + edited {
            let open = try directory.openIntents(of: output.id)
            guard !open.isEmpty else { continue }
            throw Failure(
                .invalid, "state.output_waits",
                "the output \(output.name) was edited or removed while \(open.count) epochs of it "
                    + "wait to be committed",
                hint: "run the topology as it was once more, until they are: --available-now")
        }
    }

    private func report(_ difference: PlanDifference, _ named: Set<UInt64>) {
        for id in named.sorted() {
            log(LogLine(.warning, "state reset", [("operator", String(id, radix: 16))]))
        }
        for new in difference.new {
            log(
                LogLine(
                    .info, "a new operator begins empty, at the present offsets",
                    [("operator", new.name), ("what", new.what)]))
        }
        for gone in difference.goneOutputs {
            log(LogLine(.info, "an output is gone from the topology", [("output", gone.name)]))
        }
    }
}
