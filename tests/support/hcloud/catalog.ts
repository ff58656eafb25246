/** The fixed part of the emulated API: one location, one server type, one image. */

export type Body = Record<string, unknown>;
export type Item = Body & { id: number };

export const LOCATION = {
  id: 1,
  name: "fsn1",
  description: "emulated",
  country: "DE",
  city: "Falkenstein",
  latitude: 50,
  longitude: 12,
  network_zone: "eu-central",
};
export const TYPE = {
  id: 1,
  name: "cx23",
  description: "cx23",
  cores: 2,
  memory: 4,
  disk: 40,
  architecture: "x86",
  storage_type: "local",
  cpu_type: "shared",
  deprecated: false,
  deprecation: null,
  prices: [],
  locations: [{ id: 1, name: "fsn1", deprecation: null }],
};
export const IMAGE = {
  id: 1,
  name: "debian-12",
  type: "system",
  status: "available",
  description: "Debian 12",
  os_flavor: "debian",
  os_version: "12",
  architecture: "x86",
  disk_size: 5,
  created: "2026-01-01T00:00:00Z",
  deprecated: null,
  rapid_deploy: true,
  protection: { delete: false },
  labels: {},
};
export const FIXED: Record<string, Item[]> = {
  locations: [LOCATION],
  server_types: [TYPE],
  images: [IMAGE],
  datacenters: [
    {
      id: 1,
      name: "fsn1-dc14",
      description: "emulated",
      location: LOCATION,
      server_types: { supported: [1], available: [1], available_for_migration: [1] },
    },
  ],
};
