SELECT
  `t30`.`sales_id`,
  `t30`.`date`,
  `t30`.`store_id`,
  `t30`.`product_id`,
  `t30`.`retailer_id`,
  `t30`.`year`,
  `t30`.`month`,
  `t30`.`day_of_week`,
  `t30`.`is_weekend`,
  `t30`.`quarter`,
  `t30`.`season`,
  `t30`.`store_avg_amount`,
  `t30`.`store_std_amount`,
  `t30`.`store_total_amount`,
  `t30`.`store_avg_quantity`,
  `t30`.`store_std_quantity`,
  `t30`.`store_total_quantity`,
  `t30`.`product_avg_amount`,
  `t30`.`product_std_amount`,
  `t30`.`product_total_amount`,
  `t30`.`product_avg_quantity`,
  `t30`.`product_avg_price`,
  `t30`.`product_std_price`,
  `t30`.`product_frequency`,
  `t30`.`retailer_avg_amount`,
  `t30`.`retailer_avg_quantity`,
  `t30`.`retailer_frequency`,
  `t30`.`retailer_sales_target`,
  `t30`.`retailer_margin`,
  `t30`.`product_brand`,
  `t30`.`product_category`,
  `t30`.`product_subcategory`,
  `t30`.`product_supplier`,
  `t30`.`store_format`,
  `t30`.`store_city`,
  `t30`.`store_state`,
  `t30`.`store_region`,
  `t30`.`amount` AS `sales_amount`,
  `t30`.`quantity` AS `sales_quantity`
FROM (
  SELECT
    `t11`.`sales_id`,
    `t11`.`store_id`,
    `t11`.`product_id`,
    `t11`.`retailer_id`,
    `t11`.`date`,
    `t11`.`amount`,
    `t11`.`quantity`,
    `t11`.`price`,
    `t11`.`year`,
    `t11`.`month`,
    `t11`.`day_of_week`,
    `t11`.`is_weekend`,
    `t11`.`quarter`,
    `t11`.`season`,
    `t19`.`retailer_avg_amount`,
    `t19`.`retailer_avg_quantity`,
    `t19`.`retailer_frequency`,
    `t19`.`retailer_sales_target`,
    `t19`.`retailer_margin`,
    `t29`.`product_avg_amount`,
    `t29`.`product_std_amount`,
    `t29`.`product_total_amount`,
    `t29`.`product_avg_quantity`,
    `t29`.`product_avg_price`,
    `t29`.`product_std_price`,
    `t29`.`product_frequency`,
    `t29`.`product_brand`,
    `t29`.`product_category`,
    `t29`.`product_subcategory`,
    `t29`.`product_supplier`,
    `t28`.`store_avg_amount`,
    `t28`.`store_std_amount`,
    `t28`.`store_total_amount`,
    `t28`.`store_avg_quantity`,
    `t28`.`store_std_quantity`,
    `t28`.`store_total_quantity`,
    `t28`.`store_format`,
    `t28`.`store_city`,
    `t28`.`store_state`,
    `t28`.`store_region`
  FROM (
    SELECT
      `t0`.`sales_id`,
      `t0`.`store_id`,
      `t0`.`product_id`,
      `t0`.`retailer_id`,
      `t0`.`date_key` AS `date`,
      CAST(`t0`.`sales_amount` AS FLOAT64) AS `amount`,
      CAST(`t0`.`sales_quantity` AS FLOAT64) AS `quantity`,
      ieee_divide(CAST(`t0`.`sales_amount` AS FLOAT64), CAST(`t0`.`sales_quantity` AS FLOAT64)) AS `price`,
      EXTRACT(year FROM `t0`.`date_key`) AS `year`,
      EXTRACT(month FROM `t0`.`date_key`) AS `month`,
      MOD(EXTRACT(dayofweek FROM `t0`.`date_key`) + 5, 7) AS `day_of_week`,
      CAST((
        MOD(EXTRACT(dayofweek FROM `t0`.`date_key`) + 5, 7)
      ) >= 5 AS INT64) AS `is_weekend`,
      EXTRACT(quarter FROM `t0`.`date_key`) AS `quarter`,
      CASE
        WHEN EXTRACT(month FROM `t0`.`date_key`) IN (12, 1, 2)
        THEN 'winter'
        WHEN EXTRACT(month FROM `t0`.`date_key`) IN (3, 4, 5)
        THEN 'spring'
        WHEN EXTRACT(month FROM `t0`.`date_key`) IN (6, 7, 8)
        THEN 'summer'
        WHEN EXTRACT(month FROM `t0`.`date_key`) IN (9, 10, 11)
        THEN 'autumn'
        ELSE NULL
      END AS `season`
    FROM `fact_sales` AS `t0`
    WHERE
      CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
      AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
      AND NOT (
        IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
      )
  ) AS `t11`
  LEFT OUTER JOIN (
    SELECT
      `t15`.`retailer_id` AS `retailer_id_known`,
      `t15`.`date` AS `date_known`,
      ieee_divide(CAST(`t15`.`amount_sum` AS FLOAT64), `t15`.`rows`) AS `retailer_avg_amount`,
      ieee_divide(CAST(`t15`.`quantity_sum` AS FLOAT64), `t15`.`rows`) AS `retailer_avg_quantity`,
      COALESCE(`t15`.`rows`, 0) AS `retailer_frequency`,
      CAST(NULL AS FLOAT64) AS `retailer_sales_target`,
      CAST(NULL AS FLOAT64) AS `retailer_margin`
    FROM (
      SELECT
        `t12`.`retailer_id`,
        `t12`.`date`,
        SUM(`t12`.`rows`) OVER (
          PARTITION BY `t12`.`retailer_id`
          ORDER BY DATE_DIFF(`t12`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `rows`,
        SUM(`t12`.`amount_sum`) OVER (
          PARTITION BY `t12`.`retailer_id`
          ORDER BY DATE_DIFF(`t12`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `amount_sum`,
        SUM(`t12`.`quantity_sum`) OVER (
          PARTITION BY `t12`.`retailer_id`
          ORDER BY DATE_DIFF(`t12`.`date`, DATE(1970, 1, 1), DAY) ASC
          RANGE BETWEEN 90 preceding AND 1 preceding
        ) AS `quantity_sum`
      FROM (
        SELECT
          `t8`.`retailer_id`,
          `t8`.`date`,
          COUNT(*) AS `rows`,
          SUM(`t8`.`amount`) AS `amount_sum`,
          SUM(`t8`.`quantity`) AS `quantity_sum`
        FROM (
          SELECT
            `t0`.`retailer_id`,
            `t0`.`date_key` AS `date`,
            CAST(CAST(`t0`.`sales_amount` AS FLOAT64) AS NUMERIC) AS `amount`,
            CAST(CAST(`t0`.`sales_quantity` AS FLOAT64) AS NUMERIC) AS `quantity`
          FROM `fact_sales` AS `t0`
          WHERE
            CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
            AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
            AND NOT (
              IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
            )
            AND `t0`.`retailer_id` IS NOT NULL
        ) AS `t8`
        GROUP BY
          1,
          2
      ) AS `t12`
    ) AS `t15`
  ) AS `t19`
    ON `t11`.`retailer_id` = `t19`.`retailer_id_known`
    AND `t11`.`date` = `t19`.`date_known`
  LEFT OUTER JOIN (
    SELECT
      `t25`.`product_id` AS `product_id_known`,
      `t25`.`date` AS `date_known`,
      `t25`.`product_avg_amount`,
      `t25`.`product_std_amount`,
      `t25`.`product_total_amount`,
      `t25`.`product_avg_quantity`,
      `t25`.`product_avg_price`,
      `t25`.`product_std_price`,
      `t25`.`product_frequency`,
      `t25`.`product_brand`,
      `t25`.`product_category`,
      `t25`.`product_subcategory`,
      `t25`.`product_supplier`
    FROM (
      SELECT
        `t23`.`product_id`,
        `t23`.`date`,
        `t23`.`product_avg_amount`,
        `t23`.`product_std_amount`,
        `t23`.`product_total_amount`,
        `t23`.`product_avg_quantity`,
        `t23`.`product_avg_price`,
        `t23`.`product_std_price`,
        `t23`.`product_frequency`,
        `t5`.`product_brand`,
        `t5`.`product_category`,
        `t5`.`product_subcategory`,
        `t5`.`product_supplier`
      FROM (
        SELECT
          `t17`.`product_id`,
          `t17`.`date`,
          ieee_divide(CAST(`t17`.`amount_sum` AS FLOAT64), `t17`.`rows`) AS `product_avg_amount`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t17`.`amount_squares` - (
                  CAST(ieee_divide(CAST(`t17`.`amount_sum` AS FLOAT64), `t17`.`rows`) AS NUMERIC) * (
                    (
                      `t17`.`amount_sum` + `t17`.`amount_sum`
                    ) - (
                      `t17`.`rows` * CAST(ieee_divide(CAST(`t17`.`amount_sum` AS FLOAT64), `t17`.`rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t17`.`rows` - 1, 0)
            )
          ) AS `product_std_amount`,
          COALESCE(CAST(`t17`.`amount_sum` AS FLOAT64), 0.0) AS `product_total_amount`,
          ieee_divide(CAST(`t17`.`quantity_sum` AS FLOAT64), `t17`.`rows`) AS `product_avg_quantity`,
          ieee_divide(CAST(`t17`.`price_sum` AS FLOAT64), `t17`.`rows`) AS `product_avg_price`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t17`.`price_squares` - (
                  CAST(ieee_divide(CAST(`t17`.`price_sum` AS FLOAT64), `t17`.`rows`) AS NUMERIC) * (
                    (
                      `t17`.`price_sum` + `t17`.`price_sum`
                    ) - (
                      `t17`.`rows` * CAST(ieee_divide(CAST(`t17`.`price_sum` AS FLOAT64), `t17`.`rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t17`.`rows` - 1, 0)
            )
          ) AS `product_std_price`,
          COALESCE(`t17`.`rows`, 0) AS `product_frequency`
        FROM (
          SELECT
            `t14`.`product_id`,
            `t14`.`date`,
            SUM(`t14`.`rows`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `rows`,
            SUM(`t14`.`amount_sum`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `amount_sum`,
            SUM(`t14`.`quantity_sum`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `quantity_sum`,
            SUM(`t14`.`price_sum`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `price_sum`,
            SUM(`t14`.`amount_squares`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `amount_squares`,
            SUM(`t14`.`price_squares`) OVER (
              PARTITION BY `t14`.`product_id`
              ORDER BY DATE_DIFF(`t14`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `price_squares`
          FROM (
            SELECT
              `t10`.`product_id`,
              `t10`.`date`,
              COUNT(*) AS `rows`,
              SUM(`t10`.`amount`) AS `amount_sum`,
              SUM(`t10`.`quantity`) AS `quantity_sum`,
              SUM(`t10`.`price`) AS `price_sum`,
              SUM(CAST(`t10`.`amount` AS NUMERIC) * `t10`.`amount`) AS `amount_squares`,
              SUM(CAST(`t10`.`price` AS NUMERIC) * `t10`.`price`) AS `price_squares`
            FROM (
              SELECT
                `t0`.`product_id`,
                `t0`.`date_key` AS `date`,
                CAST(CAST(`t0`.`sales_amount` AS FLOAT64) AS NUMERIC) AS `amount`,
                CAST(CAST(`t0`.`sales_quantity` AS FLOAT64) AS NUMERIC) AS `quantity`,
                CAST(ieee_divide(CAST(`t0`.`sales_amount` AS FLOAT64), CAST(`t0`.`sales_quantity` AS FLOAT64)) AS NUMERIC) AS `price`
              FROM `fact_sales` AS `t0`
              WHERE
                CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
                AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
                AND NOT (
                  IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                )
                AND `t0`.`product_id` IS NOT NULL
            ) AS `t10`
            GROUP BY
              1,
              2
          ) AS `t14`
        ) AS `t17`
      ) AS `t23`
      LEFT OUTER JOIN (
        SELECT
          `t1`.`product_id` AS `product_id_known`,
          `t1`.`product_brand`,
          `t1`.`product_category`,
          `t1`.`product_subcategory`,
          `t1`.`product_supplier`
        FROM `dim_product` AS `t1`
      ) AS `t5`
        ON `t23`.`product_id` = `t5`.`product_id_known`
    ) AS `t25`
  ) AS `t29`
    ON `t11`.`product_id` = `t29`.`product_id_known`
    AND `t11`.`date` = `t29`.`date_known`
  LEFT OUTER JOIN (
    SELECT
      `t24`.`store_id` AS `store_id_known`,
      `t24`.`date` AS `date_known`,
      `t24`.`store_avg_amount`,
      `t24`.`store_std_amount`,
      `t24`.`store_total_amount`,
      `t24`.`store_avg_quantity`,
      `t24`.`store_std_quantity`,
      `t24`.`store_total_quantity`,
      `t24`.`store_format`,
      `t24`.`store_city`,
      `t24`.`store_state`,
      `t24`.`store_region`
    FROM (
      SELECT
        `t22`.`store_id`,
        `t22`.`date`,
        `t22`.`store_avg_amount`,
        `t22`.`store_std_amount`,
        `t22`.`store_total_amount`,
        `t22`.`store_avg_quantity`,
        `t22`.`store_std_quantity`,
        `t22`.`store_total_quantity`,
        `t6`.`store_format`,
        `t6`.`store_city`,
        `t6`.`store_state`,
        `t6`.`store_region`
      FROM (
        SELECT
          `t16`.`store_id`,
          `t16`.`date`,
          ieee_divide(CAST(`t16`.`amount_sum` AS FLOAT64), `t16`.`rows`) AS `store_avg_amount`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t16`.`amount_squares` - (
                  CAST(ieee_divide(CAST(`t16`.`amount_sum` AS FLOAT64), `t16`.`rows`) AS NUMERIC) * (
                    (
                      `t16`.`amount_sum` + `t16`.`amount_sum`
                    ) - (
                      `t16`.`rows` * CAST(ieee_divide(CAST(`t16`.`amount_sum` AS FLOAT64), `t16`.`rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t16`.`rows` - 1, 0)
            )
          ) AS `store_std_amount`,
          COALESCE(CAST(`t16`.`amount_sum` AS FLOAT64), 0.0) AS `store_total_amount`,
          ieee_divide(CAST(`t16`.`quantity_sum` AS FLOAT64), `t16`.`rows`) AS `store_avg_quantity`,
          SQRT(
            ieee_divide(
              GREATEST(
                CAST(`t16`.`quantity_squares` - (
                  CAST(ieee_divide(CAST(`t16`.`quantity_sum` AS FLOAT64), `t16`.`rows`) AS NUMERIC) * (
                    (
                      `t16`.`quantity_sum` + `t16`.`quantity_sum`
                    ) - (
                      `t16`.`rows` * CAST(ieee_divide(CAST(`t16`.`quantity_sum` AS FLOAT64), `t16`.`rows`) AS NUMERIC)
                    )
                  )
                ) AS FLOAT64),
                0.0
              ),
              NULLIF(`t16`.`rows` - 1, 0)
            )
          ) AS `store_std_quantity`,
          COALESCE(CAST(`t16`.`quantity_sum` AS FLOAT64), 0.0) AS `store_total_quantity`
        FROM (
          SELECT
            `t13`.`store_id`,
            `t13`.`date`,
            SUM(`t13`.`rows`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `rows`,
            SUM(`t13`.`amount_sum`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `amount_sum`,
            SUM(`t13`.`quantity_sum`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `quantity_sum`,
            SUM(`t13`.`amount_squares`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `amount_squares`,
            SUM(`t13`.`quantity_squares`) OVER (
              PARTITION BY `t13`.`store_id`
              ORDER BY DATE_DIFF(`t13`.`date`, DATE(1970, 1, 1), DAY) ASC
              RANGE BETWEEN 90 preceding AND 1 preceding
            ) AS `quantity_squares`
          FROM (
            SELECT
              `t9`.`store_id`,
              `t9`.`date`,
              COUNT(*) AS `rows`,
              SUM(`t9`.`amount`) AS `amount_sum`,
              SUM(`t9`.`quantity`) AS `quantity_sum`,
              SUM(CAST(`t9`.`amount` AS NUMERIC) * `t9`.`amount`) AS `amount_squares`,
              SUM(CAST(`t9`.`quantity` AS NUMERIC) * `t9`.`quantity`) AS `quantity_squares`
            FROM (
              SELECT
                `t0`.`store_id`,
                `t0`.`date_key` AS `date`,
                CAST(CAST(`t0`.`sales_amount` AS FLOAT64) AS NUMERIC) AS `amount`,
                CAST(CAST(`t0`.`sales_quantity` AS FLOAT64) AS NUMERIC) AS `quantity`
              FROM `fact_sales` AS `t0`
              WHERE
                CAST(`t0`.`sales_quantity` AS FLOAT64) > 0
                AND CAST(`t0`.`sales_amount` AS FLOAT64) > 0
                AND NOT (
                  IS_NAN(CAST(`t0`.`sales_amount` AS FLOAT64))
                )
                AND `t0`.`store_id` IS NOT NULL
            ) AS `t9`
            GROUP BY
              1,
              2
          ) AS `t13`
        ) AS `t16`
      ) AS `t22`
      LEFT OUTER JOIN (
        SELECT
          `t2`.`store_id` AS `store_id_known`,
          `t2`.`store_format`,
          `t2`.`store_city`,
          `t2`.`store_state`,
          `t2`.`store_region`
        FROM `dim_store` AS `t2`
      ) AS `t6`
        ON `t22`.`store_id` = `t6`.`store_id_known`
    ) AS `t24`
  ) AS `t28`
    ON `t11`.`store_id` = `t28`.`store_id_known` AND `t11`.`date` = `t28`.`date_known`
) AS `t30`
