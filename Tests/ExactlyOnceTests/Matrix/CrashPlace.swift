// The named places of the engine, as the crash matrix treats them: a list that a test holds against
// the failpoints of the sources, so that none is without a case.

/// One failpoint.
struct CrashPlace: Sendable {
    let name: String
    /// The pass at which it strikes: late enough that there is something to lose.
    var hit = 1
    var rig = MatrixRig.Kind.everything
    /// Other failpoints that bring a run here, in the same process.
    var cause: String?
    /// Where the process before must have died for a start to come by.
    var after: String?
    /// Whether each start of a pipeline that goes on comes by: a step of the recovery.
    var isStartUp = false
    var failure: Failing = .cannot
    /// Whether the run must be long: some steps come every ten versions of a table only.
    var isLate = false

    /// What `=error` does to a run.
    enum Failing: Sendable {
        /// The step has no outcome of its own that could be an error.
        case cannot
        /// The process ends with 1; the next start learns from disk and from the sinks.
        case ends
        /// The process mends it and goes on.
        case goesOn
    }

    init(_ name: String, _ hit: Int = 1) {
        self.name = name
        self.hit = hit
    }

    private func with(_ change: (inout CrashPlace) -> Void) -> CrashPlace {
        var place = self
        change(&place)
        return place
    }

    var startUp: CrashPlace { with { $0.isStartUp = true } }
    func fails(_ failing: Failing) -> CrashPlace { with { $0.failure = failing } }
    func caused(by cause: String) -> CrashPlace { with { $0.cause = cause } }
    func after(_ place: String) -> CrashPlace { with { $0.after = place } }
    var late: CrashPlace { with { $0.isLate = true } }
    var adopting: CrashPlace { with { $0.rig = .adoption } }

    /// As MILLRACE_FAILPOINT has it; of the first process, or of one that recovers.
    func trigger(recovering: Bool = false, effect: String = "") -> String {
        let pass = recovering || hit == 1 ? "" : "@\(hit)"
        return (cause.map { $0 + "," } ?? "") + name + pass + effect
    }

    /// The failpoint of the sources, without a subject.
    var failpoint: String { String(name.prefix { $0 != ":" }) }
}

extension CrashPlace {
    static let all: [CrashPlace] =
        opening + starting + epochs + dataFiles + tables + files + kafka + ending + calls

    /// The state directory, and what is done with it once.
    static let opening = [
        CrashPlace("state.locked").startUp, CrashPlace("state.opened").startUp,
        CrashPlace("state.identity.before_write"), CrashPlace("state.identity.written"),
        CrashPlace("state.format_written"), CrashPlace("state.identity.durable"),
        CrashPlace("state.before_plan"), CrashPlace("state.plan_accepted"),
        CrashPlace("state.start_noted").startUp.after("checkpoint.written@3"),
        CrashPlace("state.before_adoption").adopting, CrashPlace("state.adopted").adopting,
    ]

    static let starting = [
        CrashPlace("start.opened").startUp, CrashPlace("delta.read_marker").startUp,
        CrashPlace("files.read_marker").startUp, CrashPlace("kafka.read_progress").startUp,
        CrashPlace("start.markers_read").startUp,
        CrashPlace("start.open_intents").after("checkpoint.written@3"),
        CrashPlace("start.sources_made").startUp, CrashPlace("start.before_offsets"),
        CrashPlace("start.offsets_written"), CrashPlace("start.resolved").startUp,
        CrashPlace("start.running").startUp,
    ]

    static let epochs = [
        CrashPlace("epoch.begin", 3), CrashPlace("barrier.begin", 5),
        CrashPlace("barrier.passed", 5), CrashPlace("epoch.gathered", 3),
        CrashPlace("checkpoint.before_write", 3), CrashPlace("checkpoint.write", 3).fails(.ends),
        CrashPlace("checkpoint.written", 4), CrashPlace("intent.offered", 7),
        CrashPlace("retain.begin", 3), CrashPlace("retain.made", 3), CrashPlace("retain.durable", 3),
        CrashPlace("retain.removed", 2),
        CrashPlace("checkpoint.before_group_offsets", 3), CrashPlace("checkpoint.group_offsets", 3),
        CrashPlace("commit.begin", 5), CrashPlace("commit.done", 5), CrashPlace("trim.noted", 4),
    ]

    static let dataFiles = [
        CrashPlace("delta.before_files_closed", 2), CrashPlace("delta.before_data_file", 3),
        CrashPlace("delta.data_file_created", 3),
        CrashPlace("delta.sync_data_file", 3).fails(.ends),
        CrashPlace("delta.data_file_unnamed", 3), CrashPlace("delta.data_file_synced", 3),
        CrashPlace("delta.files_closed", 3), CrashPlace("delta.files_durable", 2),
    ]

    static let tables = [
        CrashPlace("delta.before_create:by_window"), CrashPlace("delta.created:by_window"),
        CrashPlace("delta.before_create:by_auction"), CrashPlace("delta.created:by_auction"),
        CrashPlace("delta.merged", 3),
        CrashPlace("delta.before_commit:by_window", 2),
        CrashPlace("delta.before_commit:by_auction", 3),
        CrashPlace("delta.sync_entry", 4).fails(.ends), CrashPlace("delta.entry_drafted", 4),
        CrashPlace("delta.before_link", 4), CrashPlace("delta.after_link", 4),
        CrashPlace("delta.sync_folder", 4).fails(.ends),
        CrashPlace("delta.after_commit:by_window", 2),
        CrashPlace("delta.after_commit:by_auction", 3),
        CrashPlace("delta.before_checkpoint").late,
        CrashPlace("delta.write_checkpoint").late.fails(.goesOn),
        CrashPlace("delta.before_hint").late, CrashPlace("delta.before_rename").late,
        CrashPlace("delta.renamed").late, CrashPlace("delta.hint_written").late,
        CrashPlace("delta.before_sweep").after("delta.files_durable@3"),
        CrashPlace("delta.swept").after("delta.files_durable@3"),
        CrashPlace("delta.draft_swept").after("delta.before_link@4"),
        CrashPlace("state.before_forget").after("delta.files_durable@3"),
        CrashPlace("state.forgotten").after("delta.files_durable@3"),
    ]

    static let files = [
        CrashPlace("files.created", 3), CrashPlace("files.before_sync", 3),
        CrashPlace("files.before_folder_sync", 3), CrashPlace("files.prepared", 3),
        CrashPlace("files.before_rename", 3), CrashPlace("files.renamed", 3),
        CrashPlace("files.before_folder_commit", 3), CrashPlace("files.landed", 3),
        CrashPlace("files.marker_drafted", 3), CrashPlace("files.marker_renamed", 3),
        CrashPlace("files.marked", 3),
        CrashPlace("files.before_sweep").after("files.prepared@3"),
        CrashPlace("files.swept").after("files.prepared@3"),
    ]

    static let kafka = [
        CrashPlace("kafka.topics_made").startUp, CrashPlace("kafka.before_init").startUp,
        CrashPlace("kafka.after_init").startUp, CrashPlace("kafka.progress_read_again").startUp,
        CrashPlace("kafka.begun", 3), CrashPlace("kafka.before_produce", 3),
        CrashPlace("kafka.row_lost", 2).fails(.goesOn), CrashPlace("kafka.produced", 3),
        CrashPlace("kafka.flushed", 3), CrashPlace("kafka.commit", 3).fails(.ends),
        CrashPlace("kafka.committed", 3),
        CrashPlace("kafka.before_abort").caused(by: "kafka.row_lost@2=error"),
        CrashPlace("kafka.aborted").caused(by: "kafka.row_lost@2=error"),
    ]

    /// A bounded run's end.
    static let ending = [
        CrashPlace("run.final_checkpoint"), CrashPlace("run.before_trims"),
        CrashPlace("state.trim").fails(.ends), CrashPlace("run.trims_written"),
    ]

    /// Every call on the file system, whoever makes it.
    static let calls = [
        CrashPlace("file.create", 9).fails(.ends), CrashPlace("file.write", 9).fails(.ends),
        CrashPlace("file.sync", 9).fails(.ends), CrashPlace("file.rename", 5).fails(.ends),
        CrashPlace("file.link", 4).fails(.ends), CrashPlace("folder.sync", 9).fails(.ends),
        CrashPlace("file.sync_found").fails(.ends).after("delta.after_commit:by_auction@2"),
    ]

    /// Failpoints with cases of their own elsewhere: the file that has them.
    static let elsewhere = Dictionary(
        uniqueKeysWithValues: [
            "rewind.copied", "rewind.written", "rewind.before_ready", "rewind.ready",
            "rewind.aside", "rewind.in_place", "rewind.future_forgotten", "rewind.done",
            "delta.before_restore", "delta.restored",
        ].map { ($0, "Tests/ExactlyOnceTests/RewindTests.swift") })

    static let startUp = all.filter(\.isStartUp)
}
