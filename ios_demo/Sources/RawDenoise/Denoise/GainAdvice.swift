/// What to tell the user about a gain that works but was not trained for.
public enum GainAdvice {
  /// - Returns: nil for a gain inside the profile's range.
  public static func warning(for gain: Float, profile: SensorProfile) -> String? {
    let (low, high) = (Float(profile.gainRange[0]), Float(profile.gainRange[1]))
    guard gain < low || gain > high else { return nil }
    return "gain \(gain) is beyond the profile's \(low) to \(high); "
      + "the model of the nearest end serves it"
  }

  /// A bundle of one sensor on frames of another denoises, but by a noise that was not measured.
  public static func foreignSensor(_ frame: RawFrame, profile: SensorProfile) -> String? {
    let same = frame.blackLevel == profile.blackLevel && frame.whiteLevel == profile.whiteLevel
    guard !same else { return nil }
    return "the capture's levels (black \(frame.blackLevel[0]), white \(frame.whiteLevel)) are not "
      + "\(profile.name)'s; it is scaled, and its noise is taken to be \(profile.name)'s: "
      + "calibrate this camera for a bundle of its own"
  }
}
