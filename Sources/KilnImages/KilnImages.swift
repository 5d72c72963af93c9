// KilnImages
