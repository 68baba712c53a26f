/// The tags of TIFF, EXIF and DNG 1.4 that a Bayer frame needs.
enum Tag {
  static let newSubfileType: UInt16 = 254
  static let imageWidth: UInt16 = 256
  static let imageLength: UInt16 = 257
  static let bitsPerSample: UInt16 = 258
  static let compression: UInt16 = 259
  static let photometric: UInt16 = 262
  static let make: UInt16 = 271
  static let model: UInt16 = 272
  static let stripOffsets: UInt16 = 273
  static let orientation: UInt16 = 274
  static let samplesPerPixel: UInt16 = 277
  static let rowsPerStrip: UInt16 = 278
  static let stripByteCounts: UInt16 = 279
  static let software: UInt16 = 305
  static let subIFDs: UInt16 = 330
  static let cfaRepeatPatternDim: UInt16 = 33421
  static let cfaPattern: UInt16 = 33422
  static let exifIFD: UInt16 = 34665
  static let isoSpeedRatings: UInt16 = 34855
  static let sensitivityType: UInt16 = 34864
  static let isoSpeed: UInt16 = 34867
  static let exifVersion: UInt16 = 36864
  static let dngVersion: UInt16 = 50706
  static let dngBackwardVersion: UInt16 = 50707
  static let uniqueCameraModel: UInt16 = 50708
  static let cfaPlaneColor: UInt16 = 50710
  static let cfaLayout: UInt16 = 50711
  static let linearizationTable: UInt16 = 50712
  static let blackLevelRepeatDim: UInt16 = 50713
  static let blackLevel: UInt16 = 50714
  static let whiteLevel: UInt16 = 50717
  static let colorMatrix1: UInt16 = 50721
  static let asShotNeutral: UInt16 = 50728
  static let calibrationIlluminant1: UInt16 = 50778
  static let activeArea: UInt16 = 50829
  static let noiseProfile: UInt16 = 51041
}

enum Photometric {
  static let colorFilterArray = 32803
}
