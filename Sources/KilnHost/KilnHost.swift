// KilnHost
