// RocksState
