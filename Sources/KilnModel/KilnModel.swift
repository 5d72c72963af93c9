// KilnModel
