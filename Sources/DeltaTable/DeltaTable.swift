// DeltaTable
