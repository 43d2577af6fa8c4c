// swift-tools-version: 6.2
// Millrace: one package, no outside Swift package (docs/decisions/0001-dependencies.md).
// The list of targets is the layer diagram of docs/ARCHITECTURE.md, bottom up; a test
// (Tests/TidyTests) parses the imports and fails on an arrow that points up.

import PackageDescription

let settings: [SwiftSetting] = [
    .swiftLanguageMode(.v6),
    .strictMemorySafety(),
    .treatAllWarnings(as: .error),
    .enableUpcomingFeature("ExistentialAny"),
    .enableUpcomingFeature("MemberImportVisibility"),
    .enableUpcomingFeature("InternalImportsByDefault"),
    .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
    .enableExperimentalFeature("Lifetimes"),
]

func system(_ name: String, _ pkgConfig: String? = nil, apt: String) -> Target {
    .systemLibrary(name: name, pkgConfig: pkgConfig, providers: [.apt([apt])])
}

func module(_ name: String, _ dependencies: [String]) -> Target {
    .target(
        name: name, dependencies: dependencies.map { .init(stringLiteral: $0) },
        swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [String], exclude: [String] = []) -> Target {
    .testTarget(
        name: name, dependencies: dependencies.map { .init(stringLiteral: $0) }, exclude: exclude,
        swiftSettings: settings)
}

// Layer 0: C and C++ libraries of Debian, no logic.
let libraries: [Target] = [
    system("CRdKafka", "rdkafka", apt: "librdkafka-dev"),
    system("CRocksDB", "rocksdb", apt: "librocksdb-dev"),
    system("CPgQuery", apt: "libpg-query-dev"),
    system(
        "CCompression", apt: "libzstd-dev libsnappy-dev liblz4-dev zlib1g-dev libbrotli-dev"),
    system("CRoaring", apt: "libroaring-dev"),
    system("CPCRE2", "libpcre2-8", apt: "libpcre2-dev"),
    system("CCurl", "libcurl", apt: "libcurl4-openssl-dev"),
    system("CCrypto", "libcrypto", apt: "libssl-dev"),
    system("CXXHash", "libxxhash", apt: "libxxhash-dev"),
    system("CMicroHTTPD", "libmicrohttpd", apt: "libmicrohttpd-dev"),
    system("CJemalloc", "jemalloc", apt: "libjemalloc-dev"),
    .target(name: "CSimdJSON", linkerSettings: [.linkedLibrary("simdjson")]),
    .target(name: "CSystem"),
]

// Layers 1 … 7, see design.md §6. Arrows point down only.
let modules: [Target] = [
    module("Contracts", []),
    module("Types", ["Contracts"]),
    module("Environment", ["Contracts", "CSystem"]),

    module("Columns", ["Contracts", "Types"]),
    module("Kernels", ["Contracts", "Types", "Columns", "CXXHash", "CPCRE2", "CCrypto"]),

    module("SQLSyntax", ["Contracts", "CPgQuery"]),
    module("Planning", ["Contracts", "Types", "Columns", "Kernels", "SQLSyntax"]),

    module("Progress", ["Contracts", "Types"]),
    module("State", ["Contracts", "Types", "Columns", "Kernels"]),
    module(
        "Operators",
        [
            "Contracts", "Types", "Environment", "Columns", "Kernels", "Planning", "Progress",
            "State",
        ]),

    module("RocksState", ["Contracts", "Types", "Environment", "Progress", "State", "CRocksDB"]),
    module("KafkaIO", ["Contracts", "Types", "Columns", "Environment", "CRdKafka"]),
    module("Formats", ["Contracts", "Types", "Columns", "Kernels", "Planning", "CSimdJSON"]),
    module("Parquet", ["Contracts", "Types", "Columns", "CCompression"]),
    module(
        "DeltaTable",
        ["Contracts", "Types", "Columns", "Environment", "Progress", "Parquet"]),

    module(
        "Connectors",
        [
            "Contracts", "Types", "Columns", "Kernels", "Environment", "Planning", "Progress",
            "State", "Operators", "RocksState", "KafkaIO", "Formats", "Parquet", "DeltaTable",
        ]),
    module(
        "Runtime",
        [
            "Contracts", "Types", "Columns", "Kernels", "Environment", "Planning", "Progress",
            "State", "Operators", "RocksState", "Connectors",
        ]),

    module(
        "Millrace",
        [
            "Contracts", "Types", "Columns", "Kernels", "Environment", "SQLSyntax", "Planning",
            "Progress", "State", "Operators", "RocksState", "KafkaIO", "Formats", "Parquet",
            "DeltaTable", "Connectors", "Runtime",
        ]),
    // For tests only: `millrace` with one rule of its protocol broken.
    .executableTarget(
        name: "millrace-mutant", dependencies: ["Millrace", "Environment", "CJemalloc"],
        swiftSettings: settings),
    .executableTarget(
        name: "millrace", dependencies: ["Millrace", "CJemalloc"], swiftSettings: settings),
]

let testTargets: [Target] = [
    tests(
        "LibraryTests",
        [
            "CRdKafka", "CRocksDB", "CPgQuery", "CCompression", "CRoaring", "CPCRE2", "CCurl",
            "CCrypto", "CXXHash", "CMicroHTTPD", "CJemalloc", "CSimdJSON", "CSystem",
        ]),
    tests("ContractsTests", ["Contracts", "Types", "Columns", "Environment"]),
    tests("KernelsTests", ["Contracts", "Types", "Columns", "Kernels"]),
    tests("SQLSyntaxTests", ["Contracts", "SQLSyntax"]),
    tests(
        "PlanningTests",
        ["Contracts", "Types", "Columns", "Kernels", "SQLSyntax", "Planning"],
        exclude: ["Expressions"]),
    tests("ProgressTests", ["Contracts", "Types", "Progress"]),
    tests(
        "OperatorsTests",
        [
            "Contracts", "Types", "Columns", "Kernels", "SQLSyntax", "Planning", "Progress",
            "State",
            "Operators",
        ], exclude: ["time-model-cases.json"]),
    tests(
        "RocksStateTests",
        ["Contracts", "Types", "Environment", "Progress", "State", "RocksState"]),
    tests("KafkaIOTests", ["Contracts", "Types", "Columns", "Environment", "KafkaIO"]),
    tests(
        "FormatsTests",
        ["Contracts", "Types", "Columns", "Kernels", "Planning", "Formats", "PythonSupport"]),
    tests("ParquetTests", ["Contracts", "Types", "Columns", "Parquet", "PythonSupport"]),
    tests(
        "DeltaTableTests",
        [
            "Contracts", "Types", "Columns", "Environment", "Progress", "Parquet", "DeltaTable",
            "PythonSupport",
        ]),
    // Other people's readers judge our files: how tests run them.
    .target(
        name: "PythonSupport", dependencies: ["Types", "Columns"], path: "Tests/PythonSupport",
        swiftSettings: settings),
    // Simulated surroundings of a pipeline, random topologies and histories.
    .target(
        name: "TestKit",
        dependencies: [
            "Contracts", "Types", "Environment", "Columns", "SQLSyntax", "Planning", "Progress",
            "State", "RocksState", "KafkaIO", "Formats", "DeltaTable", "Connectors", "Runtime",
        ], path: "Tests/TestKit", swiftSettings: settings),
    .executableTarget(
        name: "millrace-simulate", dependencies: ["TestKit", "Environment", "CJemalloc"],
        path: "Tests/SimulateCommand", swiftSettings: settings),
    tests("SimulationTests", ["TestKit", "Environment", "PythonSupport"]),
    tests(
        "MillraceTests", modules.dropLast(2).map(\.name) + ["PythonSupport", "CJemalloc"]),
    // What is fuzzed, and the inputs kept from it as ordinary tests.
    .target(
        name: "FuzzTargets",
        dependencies: [
            "Contracts", "Types", "Columns", "Kernels", "SQLSyntax", "Planning", "Progress",
            "State", "Formats", "Parquet", "DeltaTable",
        ], path: "Tests/Fuzzing/Targets", swiftSettings: settings),
    tests("FuzzTests", ["Contracts", "FuzzTargets"]),
    // They run the built `millrace` and `millrace-mutant` beside them.
    tests(
        "ExactlyOnceTests", ["Contracts", "KafkaIO", "PythonSupport"],
        exclude: ["Python", "Shim"]),
    tests("TidyTests", ["Contracts"], exclude: ["unsafe-files.txt"]),
]

// Linked against libFuzzer, which a build has with `--sanitize fuzzer` only (scripts/fuzz).
let fuzzing: [Target] =
    Context.environment["MILLRACE_FUZZ"] == nil
    ? []
    : [
        .executableTarget(
            name: "millrace-fuzz", dependencies: ["Contracts", "FuzzTargets"],
            path: "Tests/Fuzzing/Driver", swiftSettings: settings),
    ]

let package = Package(
    name: "millrace",
    products: [.executable(name: "millrace", targets: ["millrace"])],
    targets: libraries + modules + testTargets + fuzzing,
    cxxLanguageStandard: .cxx17
)
