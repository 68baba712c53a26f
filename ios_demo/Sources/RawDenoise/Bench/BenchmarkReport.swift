import Foundation

/// The report that `fa-mobile bench` reads: `fa_mobile/bench/schema.py`, version 1.
///
/// What was not measured is null, and `missing` says why.
public struct BenchmarkReport: Encodable, Sendable {
  public let schemaVersion = 1
  public let device: PhoneDevice
  public let settings: BenchmarkSettings
  public let entries: [BenchmarkEntry]
  private let ceilings: [String] = []
  @OrNull private var bandwidth: Int?
  private let missing = [
    "ceilings": "not run: a phone's ceiling is not timed",
    "bandwidth": "not run: a phone's memory is not timed",
  ]

  public init(device: PhoneDevice, settings: BenchmarkSettings, entries: [BenchmarkEntry]) {
    self.device = device
    self.settings = settings
    self.entries = entries
  }

  enum CodingKeys: String, CodingKey {
    case device, settings, entries, ceilings, bandwidth, missing
    case schemaVersion = "schema_version"
  }

  public func json() throws -> Data {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return try encoder.encode(self) + Data("\n".utf8)
  }
}

/// The phone; nothing in it names its owner.
public struct PhoneDevice: Encodable, Sendable {
  public let kind = "phone"
  public var maker: String
  public var model: String
  @OrNull public var soc: String?
  public var os: String
  public var cores: Int
  public var flags: [String]
  public var runtimes: [String: String]
  public var appVersion: String
  @OrNull public var governor: String?
  @OrNull public var charging: Bool?
  @OrNull public var lowPowerMode: Bool?
  /// iOS tells no temperature: null, and the thermal state in the system's own word.
  @OrNull public var temperatureStart: Double?
  @OrNull public var temperatureEnd: Double?
  @OrNull public var thermalStart: String?
  @OrNull public var thermalEnd: String?
  @OrNull public var abi: String?
  @OrNull public var batteryPercent: Double?

  public init(
    maker: String, model: String, os: String, cores: Int, flags: [String], appVersion: String,
    abi: String?
  ) {
    self.maker = maker
    self.model = model
    self.os = os
    self.cores = cores
    self.flags = flags
    self.appVersion = appVersion
    self.abi = abi
    runtimes = [:]
  }

  enum CodingKeys: String, CodingKey {
    case kind, maker, model, soc, os, cores, flags, runtimes, governor, charging, abi
    case appVersion = "app_version"
    case lowPowerMode = "low_power_mode"
    case temperatureStart = "temperature_start_c"
    case temperatureEnd = "temperature_end_c"
    case thermalStart = "thermal_start"
    case thermalEnd = "thermal_end"
    case batteryPercent = "battery_percent"
  }
}

/// Runs with other settings are not compared.
public struct BenchmarkSettings: Encodable, Equatable, Sendable {
  public enum Kind: String, Encodable, Sendable {
    /// A fixed number of rounds.
    case burst
    /// Rounds until the seconds are over.
    case sustained
  }

  public var kind: Kind
  /// 0 left the number to the runtime.
  public var threads: Int
  public var rounds: Int
  public var warmup: Int
  public var seconds: Double
  public var gain: Float

  public init(
    kind: Kind, threads: Int = 0, rounds: Int = 15, warmup: Int = 1, seconds: Double = 0,
    gain: Float = 16
  ) {
    self.kind = kind
    self.threads = threads
    self.rounds = rounds
    self.warmup = warmup
    self.seconds = seconds
    self.gain = gain
  }
}
