// The one sentence for a sink that holds what its state directory does not know (design.md §3.7).

public import Contracts

extension TargetHistory {
    /// What to tell of a sink whose newest marker is `found`.
    public func stale(_ name: String, found: Marker?, code: String) -> Failure {
        let holds = found.map { "generation \($0.generation), epoch \($0.epoch)" } ?? "no epoch"
        let knows = "generation \(trimmed.generation), epoch \(trimmed.epoch)"
        if let adopted, adopted == trimmed {
            return Failure(
                .fenced, code,
                "\(name) holds \(holds) of this pipeline, but \(knows) when it was adopted: its "
                    + "former process has gone on since",
                hint: "stop that process, then adopt again: --adopt with a new --state")
        }
        return Failure(
            .fenced, code,
            "\(name) holds \(holds) of this pipeline, which this state directory does not know "
                + "(it knows \(knows) and \(open.count) open epochs)",
            hint: "this directory is an old copy, or another copy is running: use the newest one")
    }
}
