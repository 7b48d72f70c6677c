module mayfly.local/dev/pause

go 1.24.0
