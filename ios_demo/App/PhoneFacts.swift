#if canImport(UIKit)
  import Foundation
  import RawDenoise
  import UIKit

  /// What iOS tells of the phone; nothing that names its owner.
  @MainActor
  enum PhoneFacts {
    struct State {
      let thermal: String
      let charging: Bool?
      let battery: Double?
      let lowPower: Bool
    }

    static func state() -> State {
      let device = UIDevice.current
      device.isBatteryMonitoringEnabled = true
      let level = Double(device.batteryLevel)
      let known = device.batteryState != .unknown
      let charging = device.batteryState == .charging || device.batteryState == .full
      return State(
        thermal: word(for: ProcessInfo.processInfo.thermalState),
        charging: known ? charging : nil, battery: level >= 0 ? 100 * level : nil,
        lowPower: ProcessInfo.processInfo.isLowPowerModeEnabled)
    }

    static func device(
      from start: State, to end: State, runtime: (name: String, version: String)
    ) -> PhoneDevice {
      let version = Bundle.main.infoDictionary?["CFBundleShortVersionString"] as? String
      var device = PhoneDevice(
        maker: "Apple", model: text("hw.machine") ?? UIDevice.current.model,
        os: "\(UIDevice.current.systemName) \(UIDevice.current.systemVersion)",
        cores: ProcessInfo.processInfo.activeProcessorCount, flags: flags(),
        appVersion: version ?? "unknown", abi: "arm64")
      device.runtimes = [runtime.name: runtime.version]
      device.charging = start.charging
      device.lowPowerMode = start.lowPower
      device.batteryPercent = start.battery
      device.thermalStart = start.thermal
      device.thermalEnd = end.thermal
      return device
    }

    static func word(for state: ProcessInfo.ThermalState) -> String {
      switch state {
      case .nominal: return "nominal"
      case .fair: return "fair"
      case .serious: return "serious"
      case .critical: return "critical"
      @unknown default: return "unknown"
      }
    }

    /// The features for which runtimes have kernels of their own, by Linux' names as in the reports.
    private static func flags() -> [String] {
      let features = [
        ("asimd", "hw.optional.arm.AdvSIMD"), ("asimddp", "hw.optional.arm.FEAT_DotProd"),
        ("asimdhp", "hw.optional.arm.FEAT_FP16"), ("i8mm", "hw.optional.arm.FEAT_I8MM"),
        ("bf16", "hw.optional.arm.FEAT_BF16"), ("sme", "hw.optional.arm.FEAT_SME"),
      ]
      return features.filter { number($0.1) == 1 }.map(\.0)
    }

    private static func number(_ name: String) -> Int32? {
      #if canImport(Darwin)
        var (value, size) = (Int32(0), MemoryLayout<Int32>.size)
        return sysctlbyname(name, &value, &size, nil, 0) == 0 ? value : nil
      #else
        return nil
      #endif
    }

    private static func text(_ name: String) -> String? {
      #if canImport(Darwin)
        var size = 0
        guard sysctlbyname(name, nil, &size, nil, 0) == 0, size > 1 else { return nil }
        var bytes = [UInt8](repeating: 0, count: size)
        guard sysctlbyname(name, &bytes, &size, nil, 0) == 0 else { return nil }
        return String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      #else
        return nil
      #endif
    }
  }
#endif
