// What updates, and by which key, where queries meet or speak early (dialect.md §2.1, §2.9).

import Contracts
import Kernels

extension LogicalNode {
    /// UNION ALL of branches with the same types. Updating ones need their common key and a column
    /// that tells them apart; throws `sql.union_key` where they have none.
    static func union(
        of branches: [LogicalNode], place: SourcePlace?
    ) throws(Failure) -> LogicalNode {
        guard branches.contains(where: \.change.isUpdating) else {
            return .unionAll(branches, change: .appendOnly, place: place)
        }
        let keys = branches.map { branch -> [Int]? in
            if case .updating(let key) = branch.change { return key }
            return nil
        }
        if let key = keys[0], keys.allSatisfy({ $0.map(Set.init) == Set(key) }),
            let column = branches[0].fields.indices.first(where: { tellsApart(branches, $0) })
        {
            let key = key.contains(column) ? key : key + [column]
            return .unionAll(branches, change: .updating(key: key), place: place)
        }
        throw Failure(
            .invalid, "sql.union_key",
            "UNION ALL of updating queries needs their common key and a column that is a different "
                + "constant in each branch",
            hint: "add a column such as 'a' AS branch to each SELECT, and select the same key",
            place: place)
    }

    private static func tellsApart(_ branches: [LogicalNode], _ column: Int) -> Bool {
        let constants = branches.compactMap { $0.constant(of: column) }
        return constants.count == branches.count && Set(constants).count == branches.count
    }

    /// The tree whose topmost windowed aggregates speak early. Those under another window don't: it
    /// takes no changes.
    func emittingChanges() throws(Failure) -> LogicalNode {
        switch kind {
        case .window: return self
        case .aggregate(let input, let grouping) where grouping.windowKey(over: input) != nil:
            return .aggregate(input, grouping.replacing(emitsChanges: true))
        case .unionAll(let inputs):
            let branches = try inputs.map { branch throws(Failure) in
                try branch.emittingChanges()
            }
            // Branches without windows keep the key that they were found to have.
            if zip(branches, inputs).allSatisfy({ $0.change == $1.change }) {
                return .unionAll(branches, change: change, place: place)
            }
            return try .union(of: branches, place: place)
        default:
            return try mappingInputs { input throws(Failure) in try input.emittingChanges() }
        }
    }
}
