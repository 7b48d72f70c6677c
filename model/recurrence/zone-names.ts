/** Time zones with rules of their own, by IANA's names: those that AWX 24.6.1 knows and that runtimes know too. */
const zones = `
  Africa/Addis_Ababa Africa/Algiers Africa/Bangui Africa/Bissau Africa/Blantyre Africa/Casablanca Africa/Ceuta Africa/El_Aaiun
  Africa/Johannesburg Africa/Juba Africa/Khartoum Africa/Monrovia Africa/Ndjamena Africa/Sao_Tome Africa/Tunis Africa/Windhoek
  America/Adak America/Anchorage America/Anguilla America/Araguaina America/Argentina/Buenos_Aires America/Argentina/Catamarca
  America/Argentina/Cordoba America/Argentina/Jujuy America/Argentina/La_Rioja America/Argentina/Mendoza America/Argentina/Rio_Gallegos
  America/Argentina/Salta America/Argentina/San_Juan America/Argentina/San_Luis America/Argentina/Tucuman America/Argentina/Ushuaia
  America/Asuncion America/Atikokan America/Bahia America/Bahia_Banderas America/Barbados America/Belem America/Belize America/Boa_Vista
  America/Bogota America/Boise America/Cambridge_Bay America/Campo_Grande America/Cancun America/Caracas America/Cayenne America/Chicago
  America/Chihuahua America/Ciudad_Juarez America/Costa_Rica America/Creston America/Cuiaba America/Danmarkshavn America/Dawson
  America/Dawson_Creek America/Denver America/Detroit America/Edmonton America/Eirunepe America/El_Salvador America/Ensenada
  America/Fort_Nelson America/Fort_Wayne America/Fortaleza America/Glace_Bay America/Godthab America/Goose_Bay America/Grand_Turk
  America/Guatemala America/Guayaquil America/Guyana America/Halifax America/Havana America/Hermosillo America/Indiana/Knox
  America/Indiana/Marengo America/Indiana/Petersburg America/Indiana/Tell_City America/Indiana/Vevay America/Indiana/Vincennes
  America/Indiana/Winamac America/Inuvik America/Iqaluit America/Jamaica America/Juneau America/Kentucky/Louisville
  America/Kentucky/Monticello America/La_Paz America/Lima America/Los_Angeles America/Maceio America/Managua America/Manaus
  America/Martinique America/Matamoros America/Mazatlan America/Menominee America/Merida America/Metlakatla America/Mexico_City
  America/Miquelon America/Moncton America/Monterrey America/Montevideo America/Montreal America/New_York America/Nome America/Noronha
  America/North_Dakota/Beulah America/North_Dakota/Center America/North_Dakota/New_Salem America/Ojinaga America/Paramaribo
  America/Port-au-Prince America/Porto_Acre America/Porto_Velho America/Punta_Arenas America/Rainy_River America/Rankin_Inlet
  America/Recife America/Regina America/Resolute America/Santarem America/Santiago America/Santo_Domingo America/Sao_Paulo
  America/Scoresbysund America/Sitka America/St_Johns America/Swift_Current America/Tegucigalpa America/Thule America/Vancouver
  America/Whitehorse America/Yakutat Antarctica/Casey Antarctica/Davis Antarctica/DumontDUrville Antarctica/Macquarie Antarctica/Mawson
  Antarctica/Palmer Antarctica/Rothera Antarctica/Syowa Antarctica/Troll Antarctica/Vostok Asia/Almaty Asia/Amman Asia/Anadyr Asia/Aqtau
  Asia/Aqtobe Asia/Ashgabat Asia/Atyrau Asia/Baghdad Asia/Bahrain Asia/Baku Asia/Bangkok Asia/Barnaul Asia/Beirut Asia/Bishkek
  Asia/Brunei Asia/Calcutta Asia/Chita Asia/Choibalsan Asia/Colombo Asia/Dacca Asia/Damascus Asia/Dili Asia/Dubai Asia/Dushanbe
  Asia/Famagusta Asia/Gaza Asia/Hebron Asia/Ho_Chi_Minh Asia/Hovd Asia/Irkutsk Asia/Istanbul Asia/Jakarta Asia/Jayapura Asia/Jerusalem
  Asia/Kabul Asia/Kamchatka Asia/Karachi Asia/Kashgar Asia/Kathmandu Asia/Khandyga Asia/Krasnoyarsk Asia/Kuala_Lumpur Asia/Macao
  Asia/Magadan Asia/Makassar Asia/Manila Asia/Nicosia Asia/Novokuznetsk Asia/Novosibirsk Asia/Omsk Asia/Oral Asia/Pontianak
  Asia/Pyongyang Asia/Qostanay Asia/Qyzylorda Asia/Rangoon Asia/Sakhalin Asia/Samarkand Asia/Srednekolymsk Asia/Taipei Asia/Tashkent
  Asia/Tbilisi Asia/Thimbu Asia/Tomsk Asia/Ulaanbaatar Asia/Ust-Nera Asia/Vladivostok Asia/Yakutsk Asia/Yekaterinburg Asia/Yerevan
  Atlantic/Azores Atlantic/Bermuda Atlantic/Canary Atlantic/Cape_Verde Atlantic/Faeroe Atlantic/Jan_Mayen Atlantic/Madeira
  Atlantic/South_Georgia Atlantic/Stanley Australia/ACT Australia/Adelaide Australia/Brisbane Australia/Broken_Hill Australia/Currie
  Australia/Darwin Australia/Eucla Australia/LHI Australia/Lindeman Australia/Melbourne Australia/Perth CET CST6CDT EET EST EST5EDT Egypt
  Eire Etc/GMT+1 Etc/GMT+10 Etc/GMT+11 Etc/GMT+12 Etc/GMT+2 Etc/GMT+3 Etc/GMT+4 Etc/GMT+5 Etc/GMT+6 Etc/GMT+7 Etc/GMT+8 Etc/GMT+9
  Etc/GMT-1 Etc/GMT-10 Etc/GMT-11 Etc/GMT-12 Etc/GMT-13 Etc/GMT-14 Etc/GMT-2 Etc/GMT-3 Etc/GMT-4 Etc/GMT-5 Etc/GMT-6 Etc/GMT-7 Etc/GMT-8
  Etc/GMT-9 Europe/Amsterdam Europe/Andorra Europe/Astrakhan Europe/Athens Europe/Belgrade Europe/Bratislava Europe/Bucharest
  Europe/Budapest Europe/Busingen Europe/Chisinau Europe/Gibraltar Europe/Helsinki Europe/Kaliningrad Europe/Kiev Europe/Kirov
  Europe/Madrid Europe/Malta Europe/Minsk Europe/Monaco Europe/Riga Europe/Rome Europe/Samara Europe/Saratov Europe/Simferopol
  Europe/Sofia Europe/Tallinn Europe/Tirane Europe/Ulyanovsk Europe/Vienna Europe/Vilnius Europe/Volgograd GB-Eire GMT+0 HST Hongkong
  Iceland Indian/Chagos Indian/Kerguelen Indian/Mauritius Iran Japan Kwajalein Libya MET MST MST7MDT NZ PRC PST8PDT Pacific/Apia
  Pacific/Bougainville Pacific/Chatham Pacific/Easter Pacific/Efate Pacific/Enderbury Pacific/Fakaofo Pacific/Fiji Pacific/Funafuti
  Pacific/Galapagos Pacific/Gambier Pacific/Guadalcanal Pacific/Guam Pacific/Honolulu Pacific/Kiritimati Pacific/Kosrae Pacific/Marquesas
  Pacific/Midway Pacific/Nauru Pacific/Niue Pacific/Norfolk Pacific/Noumea Pacific/Palau Pacific/Pitcairn Pacific/Rarotonga
  Pacific/Tahiti Pacific/Tongatapu Poland Portugal ROK W-SU WET Zulu`

/** IANA's other names for them: `name=zone`. */
const aliases = `
  Africa/Abidjan=Iceland Africa/Accra=Iceland Africa/Asmara=Africa/Addis_Ababa Africa/Asmera=Africa/Addis_Ababa Africa/Bamako=Iceland
  Africa/Banjul=Iceland Africa/Brazzaville=Africa/Bangui Africa/Bujumbura=Africa/Blantyre Africa/Cairo=Egypt Africa/Conakry=Iceland
  Africa/Dakar=Iceland Africa/Dar_es_Salaam=Africa/Addis_Ababa Africa/Djibouti=Africa/Addis_Ababa Africa/Douala=Africa/Bangui
  Africa/Freetown=Iceland Africa/Gaborone=Africa/Blantyre Africa/Harare=Africa/Blantyre Africa/Kampala=Africa/Addis_Ababa
  Africa/Kigali=Africa/Blantyre Africa/Kinshasa=Africa/Bangui Africa/Lagos=Africa/Bangui Africa/Libreville=Africa/Bangui
  Africa/Lome=Iceland Africa/Luanda=Africa/Bangui Africa/Lubumbashi=Africa/Blantyre Africa/Lusaka=Africa/Blantyre
  Africa/Malabo=Africa/Bangui Africa/Maputo=Africa/Blantyre Africa/Maseru=Africa/Johannesburg Africa/Mbabane=Africa/Johannesburg
  Africa/Mogadishu=Africa/Addis_Ababa Africa/Nairobi=Africa/Addis_Ababa Africa/Niamey=Africa/Bangui Africa/Nouakchott=Iceland
  Africa/Ouagadougou=Iceland Africa/Porto-Novo=Africa/Bangui Africa/Timbuktu=Iceland Africa/Tripoli=Libya
  America/Antigua=America/Anguilla America/Argentina/ComodRivadavia=America/Argentina/Catamarca America/Aruba=America/Anguilla
  America/Atka=America/Adak America/Blanc-Sablon=America/Anguilla America/Buenos_Aires=America/Argentina/Buenos_Aires
  America/Catamarca=America/Argentina/Catamarca America/Cayman=America/Atikokan America/Coral_Harbour=America/Atikokan
  America/Cordoba=America/Argentina/Cordoba America/Curacao=America/Anguilla America/Dominica=America/Anguilla
  America/Grenada=America/Anguilla America/Guadeloupe=America/Anguilla America/Indiana/Indianapolis=America/Fort_Wayne
  America/Indianapolis=America/Fort_Wayne America/Jujuy=America/Argentina/Jujuy America/Knox_IN=America/Indiana/Knox
  America/Kralendijk=America/Anguilla America/Louisville=America/Kentucky/Louisville America/Lower_Princes=America/Anguilla
  America/Marigot=America/Anguilla America/Mendoza=America/Argentina/Mendoza America/Montserrat=America/Anguilla
  America/Nassau=America/Montreal America/Nipigon=America/Montreal America/Nuuk=America/Godthab America/Panama=America/Atikokan
  America/Pangnirtung=America/Iqaluit America/Phoenix=America/Creston America/Port_of_Spain=America/Anguilla
  America/Puerto_Rico=America/Anguilla America/Rio_Branco=America/Porto_Acre America/Rosario=America/Argentina/Cordoba
  America/Santa_Isabel=America/Ensenada America/Shiprock=America/Denver America/St_Barthelemy=America/Anguilla
  America/St_Kitts=America/Anguilla America/St_Lucia=America/Anguilla America/St_Thomas=America/Anguilla
  America/St_Vincent=America/Anguilla America/Thunder_Bay=America/Montreal America/Tijuana=America/Ensenada
  America/Toronto=America/Montreal America/Tortola=America/Anguilla America/Virgin=America/Anguilla America/Winnipeg=America/Rainy_River
  America/Yellowknife=America/Edmonton Antarctica/McMurdo=NZ Antarctica/South_Pole=NZ Arctic/Longyearbyen=Atlantic/Jan_Mayen
  Asia/Aden=Antarctica/Syowa Asia/Ashkhabad=Asia/Ashgabat Asia/Chongqing=PRC Asia/Chungking=PRC Asia/Dhaka=Asia/Dacca Asia/Harbin=PRC
  Asia/Hong_Kong=Hongkong Asia/Katmandu=Asia/Kathmandu Asia/Kolkata=Asia/Calcutta Asia/Kuching=Asia/Brunei Asia/Kuwait=Antarctica/Syowa
  Asia/Macau=Asia/Macao Asia/Muscat=Asia/Dubai Asia/Phnom_Penh=Asia/Bangkok Asia/Qatar=Asia/Bahrain Asia/Riyadh=Antarctica/Syowa
  Asia/Saigon=Asia/Ho_Chi_Minh Asia/Seoul=ROK Asia/Shanghai=PRC Asia/Singapore=Asia/Kuala_Lumpur Asia/Tehran=Iran
  Asia/Tel_Aviv=Asia/Jerusalem Asia/Thimphu=Asia/Thimbu Asia/Tokyo=Japan Asia/Ujung_Pandang=Asia/Makassar
  Asia/Ulan_Bator=Asia/Ulaanbaatar Asia/Urumqi=Asia/Kashgar Asia/Vientiane=Asia/Bangkok Asia/Yangon=Asia/Rangoon
  Atlantic/Faroe=Atlantic/Faeroe Atlantic/Reykjavik=Iceland Atlantic/St_Helena=Iceland Australia/Canberra=Australia/ACT
  Australia/Hobart=Australia/Currie Australia/Lord_Howe=Australia/LHI Australia/NSW=Australia/ACT Australia/North=Australia/Darwin
  Australia/Queensland=Australia/Brisbane Australia/South=Australia/Adelaide Australia/Sydney=Australia/ACT
  Australia/Tasmania=Australia/Currie Australia/Victoria=Australia/Melbourne Australia/West=Australia/Perth
  Australia/Yancowinna=Australia/Broken_Hill Brazil/Acre=America/Porto_Acre Brazil/DeNoronha=America/Noronha
  Brazil/East=America/Sao_Paulo Brazil/West=America/Manaus Canada/Atlantic=America/Halifax Canada/Central=America/Rainy_River
  Canada/Eastern=America/Montreal Canada/Mountain=America/Edmonton Canada/Newfoundland=America/St_Johns Canada/Pacific=America/Vancouver
  Canada/Saskatchewan=America/Regina Canada/Yukon=America/Whitehorse Chile/Continental=America/Santiago Chile/EasterIsland=Pacific/Easter
  Cuba=America/Havana Etc/GMT=GMT+0 Etc/GMT+0=GMT+0 Etc/GMT-0=GMT+0 Etc/GMT0=GMT+0 Etc/Greenwich=GMT+0 Etc/UCT=Zulu Etc/UTC=Zulu
  Etc/Universal=Zulu Etc/Zulu=Zulu Europe/Belfast=GB-Eire Europe/Berlin=Atlantic/Jan_Mayen Europe/Brussels=Europe/Amsterdam
  Europe/Copenhagen=Atlantic/Jan_Mayen Europe/Dublin=Eire Europe/Guernsey=GB-Eire Europe/Isle_of_Man=GB-Eire
  Europe/Istanbul=Asia/Istanbul Europe/Jersey=GB-Eire Europe/Kyiv=Europe/Kiev Europe/Lisbon=Portugal Europe/Ljubljana=Europe/Belgrade
  Europe/London=GB-Eire Europe/Luxembourg=Europe/Amsterdam Europe/Mariehamn=Europe/Helsinki Europe/Moscow=W-SU
  Europe/Nicosia=Asia/Nicosia Europe/Oslo=Atlantic/Jan_Mayen Europe/Paris=Europe/Monaco Europe/Podgorica=Europe/Belgrade
  Europe/Prague=Europe/Bratislava Europe/San_Marino=Europe/Rome Europe/Sarajevo=Europe/Belgrade Europe/Skopje=Europe/Belgrade
  Europe/Stockholm=Atlantic/Jan_Mayen Europe/Tiraspol=Europe/Chisinau Europe/Uzhgorod=Europe/Kiev Europe/Vaduz=Europe/Busingen
  Europe/Vatican=Europe/Rome Europe/Warsaw=Poland Europe/Zagreb=Europe/Belgrade Europe/Zaporozhye=Europe/Kiev
  Europe/Zurich=Europe/Busingen GB=GB-Eire GMT=GMT+0 GMT-0=GMT+0 GMT0=GMT+0 Greenwich=GMT+0 Indian/Antananarivo=Africa/Addis_Ababa
  Indian/Christmas=Asia/Bangkok Indian/Cocos=Asia/Rangoon Indian/Comoro=Africa/Addis_Ababa Indian/Mahe=Asia/Dubai
  Indian/Maldives=Indian/Kerguelen Indian/Mayotte=Africa/Addis_Ababa Indian/Reunion=Asia/Dubai Israel=Asia/Jerusalem
  Jamaica=America/Jamaica Mexico/BajaNorte=America/Ensenada Mexico/BajaSur=America/Mazatlan Mexico/General=America/Mexico_City
  NZ-CHAT=Pacific/Chatham Navajo=America/Denver Pacific/Auckland=NZ Pacific/Chuuk=Antarctica/DumontDUrville
  Pacific/Johnston=Pacific/Honolulu Pacific/Kanton=Pacific/Enderbury Pacific/Kwajalein=Kwajalein Pacific/Majuro=Pacific/Funafuti
  Pacific/Pago_Pago=Pacific/Midway Pacific/Pohnpei=Pacific/Guadalcanal Pacific/Ponape=Pacific/Guadalcanal
  Pacific/Port_Moresby=Antarctica/DumontDUrville Pacific/Saipan=Pacific/Guam Pacific/Samoa=Pacific/Midway Pacific/Tarawa=Pacific/Funafuti
  Pacific/Truk=Antarctica/DumontDUrville Pacific/Wake=Pacific/Funafuti Pacific/Wallis=Pacific/Funafuti
  Pacific/Yap=Antarctica/DumontDUrville ROC=Asia/Taipei Singapore=Asia/Kuala_Lumpur Turkey=Asia/Istanbul UCT=Zulu
  US/Alaska=America/Anchorage US/Aleutian=America/Adak US/Arizona=America/Creston US/Central=America/Chicago
  US/East-Indiana=America/Fort_Wayne US/Eastern=America/New_York US/Hawaii=Pacific/Honolulu US/Indiana-Starke=America/Indiana/Knox
  US/Michigan=America/Detroit US/Mountain=America/Denver US/Pacific=America/Los_Angeles US/Samoa=Pacific/Midway UTC=Zulu Universal=Zulu`

const words = (text: string) => text.trim().split(/\s+/)

/** Other names → the zone they mean (`GET /schedules/zoneinfo/` `links`). */
export const timeZoneLinks: Readonly<Record<string, string>> = Object.fromEntries(
  words(aliases).map((alias) => alias.split('=') as [string, string]),
)

/** Every name that `DTSTART;TZID=` takes, sorted (`GET /schedules/zoneinfo/` `zones`). */
export const timeZones: readonly string[] = [...words(zones), ...Object.keys(timeZoneLinks)].sort()

const known = new Set(timeZones)

/** Whether `DTSTART;TZID=` takes this name; upper and lower case matter, as in AWX. */
export const isTimeZone = (name: string): boolean => known.has(name)
