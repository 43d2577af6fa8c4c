import Testing

@Suite struct RocksStateTests {}
